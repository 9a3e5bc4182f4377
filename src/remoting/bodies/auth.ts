/** Users and rights (ACL v2). */
import { bodyOf, defineBody, listOf, objectOf, type Of, optional, text, withDefault } from '../shape.ts'

/** 3001, 3002 and the answer to 3004. */
export const UserInfo = defineBody({
  password: optional(text),
  userStatus: optional(text),
  userType: optional(text),
  username: optional(text),
})
export type UserInfo = Of<typeof UserInfo>

/** Answers 3005. */
export const UserInfoList = bodyOf(listOf(UserInfo))

const PolicyEntryInfo = objectOf({
  actions: withDefault(listOf(text), []),
  decision: optional(text),
  resource: optional(text),
  sourceIps: withDefault(listOf(text), []),
})

const PolicyInfo = objectOf({
  entries: withDefault(listOf(PolicyEntryInfo), []),
  policyType: optional(text),
})

/** 3006, 3007 and the answer to 3009. */
export const AclInfo = defineBody({
  policies: withDefault(listOf(PolicyInfo), []),
  subject: optional(text),
})
export type AclInfo = Of<typeof AclInfo>

/** Answers 3010. */
export const AclInfoList = bodyOf(listOf(AclInfo))
