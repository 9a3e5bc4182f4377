import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { exportTables } from '../../client/admin/table-export.ts'
import { makeFolder } from '../make-folder.ts'
import { namesrvOption, note, processIo, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface ExportFlags {
  readonly namesrv: string
  readonly broker: string
  readonly dir: string
}

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('export')
    .summary('write topics, groups and offsets of a broker group to the files of RocketMQ')
    .description(
      'Writes topics.json, subscriptionGroup.json and consumerOffset.json, as RocketMQ keeps them in store/config.',
    )
    .addOption(namesrvOption())
    .requiredOption('--broker <name>', 'broker group, for example broker-a')
    .requiredOption('--dir <folder>', 'folder to write to; made if it is not there')
    .action(({ broker, dir, ...flags }: ExportFlags) =>
      withConnection(flags, io, async (at) => {
        const files = await exportTables(at, broker)
        makeFolder(dir)
        for (const { name, text } of files) await writeFile(join(dir, name), text)
        note(io, `${dir}: ${files.map(({ name }) => name).join(', ')}`)
      }),
    )
}
