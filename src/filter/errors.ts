import { defineErrors } from '../lib/errors.ts'

/** What the filter room refuses: expressions that a person wrote. */
export const filterErrors = defineErrors({
  FILTER_SYNTAX: {
    doc: 'An SQL92 filter breaks the grammar or a limit; the message names line and column.',
    retriable: false,
  },
})
