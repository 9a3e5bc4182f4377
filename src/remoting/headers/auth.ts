/** ACL v2 administration: 3001 to 3010. */
import { defineHeader, type HeaderOf, string } from '../header.ts'

/** 3001 to 3004. */
export const UserRequestHeader = defineHeader({
  username: string.optional(),
})
export type UserRequestHeader = HeaderOf<typeof UserRequestHeader.fields>

/** 3005. */
export const ListUsersRequestHeader = defineHeader({
  filter: string.optional(),
})
export type ListUsersRequestHeader = HeaderOf<typeof ListUsersRequestHeader.fields>

/** 3006, 3007 and 3009. */
export const AclRequestHeader = defineHeader({
  subject: string.optional(),
})
export type AclRequestHeader = HeaderOf<typeof AclRequestHeader.fields>

/** 3008. */
export const DeleteAclRequestHeader = defineHeader({
  subject: string.optional(),
  policyType: string.optional(),
  resource: string.optional(),
})
export type DeleteAclRequestHeader = HeaderOf<typeof DeleteAclRequestHeader.fields>

/** 3010. */
export const ListAclsRequestHeader = defineHeader({
  subjectFilter: string.optional(),
  resourceFilter: string.optional(),
})
export type ListAclsRequestHeader = HeaderOf<typeof ListAclsRequestHeader.fields>
