import { defineErrors, errorCode, errorMessage } from '../lib/errors.ts'

/** What the store refuses or finds: data folders, files and frames that are not what they must be. */
export const storeErrors = defineErrors({
  STORE_LOCKED: {
    doc: 'Another process works on this data folder. Stop it, or give this node a folder of its own.',
    retriable: false,
  },
  STORE_FOREIGN_FOLDER: {
    doc: 'The data folder belongs to another node, group or cluster. Give the node its own folder.',
    retriable: false,
  },
  STORE_NO_FOLDER: {
    doc: 'The folder is no data folder of a node. Name the one that its file calls storePathRootDir.',
    retriable: false,
  },
  STORE_NAMELESS_LOG: {
    doc: 'The folder holds a CommitLog and no identity: it is the store of a broker of RocketMQ, or the file `identity` got lost. Nothing was touched. Give the node a folder of its own (storePathRootDir, storePathCommitLog), or put `identity` back.',
    retriable: false,
  },
  STORE_NEWER_FORMAT: {
    doc: 'The data folder was written by a newer version. Start that version, or an empty folder.',
    retriable: false,
  },
  STORE_SLOTS_CORRUPT: {
    doc: 'Both copies of a small file that must not be lost (term and vote, log start, sync mark, identity) are damaged. Move the folder away: the node is filled again from its peers.',
    retriable: false,
  },
  STORE_FILE_MISSING: {
    doc: 'A file of the data folder that must be there is gone. Move the folder away: the node is filled again from its peers.',
    retriable: false,
  },
  STORE_SEGMENT_MISSING: {
    doc: 'A segment of the CommitLog that must be there is gone. Move the folder away: the node is filled again from its peers.',
    retriable: false,
  },
  STORE_SEGMENT_LENGTH: {
    doc: 'A segment of the CommitLog is shorter or longer than it must be. Move the folder away: the node is filled again from its peers.',
    retriable: false,
  },
  STORE_UNREADABLE: {
    doc: 'Damaged entries cannot be told apart well enough to vote safely. Move the folder away: the node is filled again from its peers.',
    retriable: false,
  },
  STORE_ROT: {
    doc: 'Bytes that were on disk have changed. They are not served; the entries are fetched from a peer.',
    retriable: true,
  },
  STORE_SYNC_FAILED: {
    doc: 'The disk failed to make written data durable; what it holds can no longer be believed. The node stops.',
    retriable: false,
  },
  STORE_WRITE_FAILED: {
    doc: 'The disk refused a write for a reason other than a lack of room. The node stops.',
    retriable: false,
  },
  STORE_RESET_DAMAGED: {
    doc: 'A state that was to take the place of the data of a node behind its leader is damaged or cut off. Nothing of it was used.',
    retriable: true,
  },
  STORE_CLOSED: {
    doc: 'The store is closed.',
    retriable: false,
  },
  RAFT_BAD_ENTRIES: {
    doc: 'Entries from a peer are damaged, or are not those that were announced. They are not stored.',
    retriable: true,
  },
})

/** What the disk said of a write, as this room's error; an error that has a code already stays as it is. */
export function asFailure(thrown: unknown): Error {
  if (thrown instanceof Error && errorCode(thrown)?.startsWith('E') !== true) return thrown
  return storeErrors.create('STORE_WRITE_FAILED', `the disk refused a write: ${errorMessage(thrown)}`, thrown)
}
