/** Members of a broker group: a code of our own. */
import { defineHeader, type HeaderOf, string } from '../header.ts'

/** `change`: add (with `place`, host:port), promote, remove, or replace (with `by`, the id that takes over). */
export const ChangeMembersRequestHeader = defineHeader({
  change: string.required(),
  id: string.required(),
  place: string.optional(),
  by: string.optional(),
})
export type ChangeMembersRequestHeader = HeaderOf<typeof ChangeMembersRequestHeader.fields>
