/** The messages that a node set aside, read from its data folder: for commands that work where the node ran. */
import { storeErrors } from '../../store/errors.ts'
import { LostMessages } from '../../store/lost-messages.ts'
import { nodeFileSystem } from '../../store/node-file-system.ts'

export type { LostFile } from '../../store/lost-messages.ts'

/**
 * `dataFolder`: storePathRootDir of the node. Errors: `STORE_NO_FOLDER` where no node has its data. What was set aside is
 * shown also where the identity is damaged or gone.
 */
export async function lostMessagesIn(dataFolder: string): Promise<LostMessages> {
  const found = await Promise.all(['identity', 'lost'].map((name) => nodeFileSystem.stat(`${dataFolder}/${name}`)))
  if (found.every((file) => file === undefined)) {
    const message = `${dataFolder} is no data folder of a node (its storePathRootDir): there is no file identity in it`
    throw storeErrors.create('STORE_NO_FOLDER', message)
  }
  return new LostMessages(nodeFileSystem, `${dataFolder}/lost`)
}
