import { defineErrors } from '../lib/errors.ts'

/** What the message room refuses: bytes from the wire, from disk or from a person that break a format's rules. */
export const messageErrors = defineErrors({
  MESSAGE_BAD_RECORD: {
    doc: 'Bytes that should be a stored message are none: a length lies, a magic code or a checksum is wrong.',
    retriable: false,
  },
  MESSAGE_BAD_BATCH: {
    doc: 'The body of a batch send, of a send to many queues or of its answer is not a sequence of whole messages, parts or answers.',
    retriable: false,
  },
  MESSAGE_BAD_PROPERTIES: {
    doc: 'A property name or value is empty or holds a separator, or all of them together are over 32,767 bytes.',
    retriable: false,
  },
  MESSAGE_BAD_ID: {
    doc: 'A message id is not the 32 or 56 hexadecimal digits of a store address and an offset.',
    retriable: false,
  },
  MESSAGE_BAD_COMPRESSION: {
    doc: 'A compressed body cannot be restored: it is damaged, or larger than the limit.',
    retriable: false,
  },
  MESSAGE_COMPRESSION_UNSUPPORTED: {
    doc: 'The compression type is unknown, or this Node version does not bring it (ZSTD needs 22.15 or later).',
    retriable: false,
  },
  MESSAGE_BAD_TOPIC: {
    doc: 'A topic name is blank, too long, or holds characters outside ^[%|a-zA-Z0-9_-]+$.',
    retriable: false,
  },
  MESSAGE_BAD_GROUP: {
    doc: 'A group name is blank, too long, or holds characters outside ^[%|a-zA-Z0-9_-]+$.',
    retriable: false,
  },
})
