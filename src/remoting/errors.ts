import { defineErrors } from '../lib/errors.ts'

/** What the remoting room answers with: broken bytes, broken connections, limits. */
export const remotingErrors = defineErrors({
  REMOTING_FRAME_TOO_LARGE: {
    doc: 'A frame says it is longer than the limit (16 MiB by default). The connection is closed.',
    retriable: false,
  },
  REMOTING_FRAME_MALFORMED: {
    doc: 'A frame is no remoting command: a length lies, or the header cannot be read. The connection is closed.',
    retriable: false,
  },
  REMOTING_HEADER_INVALID: {
    doc: 'A header field is missing or is not of its kind. The message names the field.',
    retriable: false,
  },
  REMOTING_BODY_INVALID: {
    doc: 'The body of a command is not what the code says it is. The message names the place.',
    retriable: false,
  },
  REMOTING_CONNECT_FAILED: {
    doc: 'No connection to the address could be made in time. Nothing was sent.',
    retriable: true,
  },
  REMOTING_CONNECTION_CLOSED: {
    doc: 'The connection is closed; whether the request was handled is not known.',
    retriable: true,
  },
  REMOTING_TIMEOUT: {
    doc: 'No answer came in time; whether the request was handled is not known.',
    retriable: true,
  },
  REMOTING_TOO_MANY_REQUESTS: {
    doc: 'Too many requests wait for an answer on this connection, or too many bytes to leave. Nothing was sent.',
    retriable: true,
  },
  REMOTING_CLIENT_CLOSED: {
    doc: 'The remoting client was closed.',
    retriable: false,
  },
  REMOTING_LISTEN_FAILED: {
    doc: 'The address cannot be listened on: the port is in use, or the host is not of this machine.',
    retriable: false,
  },
})
