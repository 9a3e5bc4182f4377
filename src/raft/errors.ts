import { defineErrors } from '../lib/errors.ts'

/** Errors of the Raft room. */
export const raftErrors = defineErrors({
  RAFT_NOT_LEADER: {
    retriable: true,
    doc: 'This node does not lead, or stopped leading before the request was decided.',
  },
  RAFT_BUSY: { retriable: true, doc: 'More requests wait for the group than the limit allows.' },
  RAFT_TRANSFERRING: { retriable: true, doc: 'Leadership is being handed over already.' },
  RAFT_TRANSFER_FAILED: { retriable: true, doc: 'The node that leadership was offered to did not take it in time.' },
  RAFT_BAD_TARGET: { retriable: false, doc: 'Leadership can go only to another voter of the group that is filled.' },
  RAFT_CHANGE_UNDERWAY: {
    retriable: true,
    doc: 'One change of members at a time: another is under way, or this leader is too new to begin one.',
  },
  RAFT_TOO_MANY_MEMBERS: {
    retriable: false,
    doc: 'A group has at most 15 members, and remembers at most 1,000 that were removed.',
  },
  RAFT_ID_USED: {
    retriable: false,
    doc: 'A node of this id was removed from the group before. Ids are never used again: choose a new one.',
  },
  RAFT_NOT_CAUGHT_UP: {
    retriable: true,
    doc: 'Only a learner that answers and has nearly the whole log becomes a voter.',
  },
  RAFT_WOULD_LOSE_QUORUM: {
    retriable: true,
    doc: 'With the members that answer now, the group would have no quorum after the change, or has none for it.',
  },
  RAFT_UNKNOWN_MEMBER: { retriable: false, doc: 'No member of the group has this id.' },
  RAFT_STOPPED: { retriable: false, doc: 'This replica was stopped.' },
  RAFT_BAD_CONFIG: { retriable: false, doc: 'An option of the Raft group has a value that cannot work.' },
  RAFT_BAD_ENTRIES: { retriable: true, doc: 'Entries from a peer are damaged or are not what their message said.' },
  RAFT_LOG_FULL: { retriable: true, doc: 'The disk has no room for more entries, or for the state of a reset.' },
  RAFT_RESET_ABORTED: { retriable: true, doc: 'The leader that sent a reset is gone; the old log is untouched.' },
  RAFT_OTHER_CLUSTER: { retriable: false, doc: 'The log belongs to another cluster than the hard state beside it.' },
})
