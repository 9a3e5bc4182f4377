import { defineErrors } from '../lib/errors.ts'

/** What a name server refuses or cannot do. */
export const namesrvErrors = defineErrors({
  NAMESRV_KV_UNREADABLE: {
    doc: 'The file of the KV configuration is damaged. Repair it or move it away; the name server does not start over it.',
    retriable: false,
  },
  NAMESRV_NOT_WRITTEN: {
    doc: 'A change could not be written to disk and was not made. The message says why.',
    retriable: true,
  },
  NAMESRV_REFUSED: {
    doc: 'The request is not allowed by the configuration of this name server.',
    retriable: false,
  },
})
