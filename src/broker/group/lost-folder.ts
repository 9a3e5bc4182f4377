/** The messages that a node set aside, read from its data folder: for commands that work where the node ran. */
import { LostMessages } from '../../store/lost-messages.ts'
import { nodeFileSystem } from '../../store/node-file-system.ts'

export type { LostFile } from '../../store/lost-messages.ts'

/** `dataFolder`: storePathRootDir of the node. */
export function lostMessagesIn(dataFolder: string): LostMessages {
  return new LostMessages(nodeFileSystem, `${dataFolder}/lost`)
}
