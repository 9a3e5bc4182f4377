/** Members of a broker group: codes of our own. */
import { defineHeader, type HeaderOf, string } from '../header.ts'

/** `change`: add (with `place`, host:port), promote, remove, or replace (with `by`, the id that takes over). */
export const ChangeMembersRequestHeader = defineHeader({
  change: string.required(),
  id: string.required(),
  place: string.optional(),
  by: string.optional(),
})
export type ChangeMembersRequestHeader = HeaderOf<typeof ChangeMembersRequestHeader.fields>

/** A slave asks its master. `place`: where its peers reach it, host:port; without `id` it asks for one. */
export const JoinMasterRequestHeader = defineHeader({
  place: string.required(),
  id: string.optional(),
  clusterId: string.optional(),
})
export type JoinMasterRequestHeader = HeaderOf<typeof JoinMasterRequestHeader.fields>

/** The id of the node in its group. */
export const JoinMasterResponseHeader = defineHeader({ id: string.required() })
export type JoinMasterResponseHeader = HeaderOf<typeof JoinMasterResponseHeader.fields>
