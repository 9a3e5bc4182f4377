/** A process that runs chunks of seeds for the one that started it, until that one goes. */
import { runChunk, type Chunk } from './chunk.ts'

process.on('message', (chunk: Chunk) => {
  void runChunk(chunk).then((report) => process.send?.(report))
})
process.on('disconnect', () => process.exit())
