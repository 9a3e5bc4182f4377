import { defineErrors } from '../../lib/errors.ts'

/** Errors between the nodes of a group. */
export const peerErrors = defineErrors({
  PEER_BAD_FRAME: { retriable: false, doc: 'A peer connection carried bytes that no peer sends; it was closed.' },
  PEER_REFUSED: {
    retriable: false,
    doc: 'A peer refused the handshake: other group, other cluster, other format or other id.',
  },
  PEER_UNREACHABLE: { retriable: true, doc: 'There is no connection to the peer right now.' },
  PEER_BUSY: { retriable: true, doc: 'Too many requests to the peer are in flight.' },
  PEER_TIMEOUT: { retriable: true, doc: 'The peer did not answer in time; whether it acted is not known.' },
  PEER_FAILED: { retriable: true, doc: 'The peer answered a request of ours with an error.' },
})
