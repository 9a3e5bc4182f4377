import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { TableImport } from '../../client/admin/table-import.ts'
import type { Imported } from '../../client/admin/table-import.ts'
import { jsonOption, namesrvOption, note, print, processIo, table, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface ImportFlags {
  readonly namesrv: string
  readonly broker: string
  readonly json?: boolean
}

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('import')
    .summary('take over topics, groups and offsets from the files of a RocketMQ broker')
    .description(
      'Takes over topics.json, subscriptionGroup.json and consumerOffset.json, also their .bak, of RocketMQ 4.x and 5.x. ' +
        'Done twice it is as once; says of every row what became of it.',
    )
    .argument('<files...>', 'files of store/config, told apart by what they hold')
    .addOption(namesrvOption())
    .requiredOption('--broker <name>', 'broker group that takes them, for example broker-a')
    .addOption(jsonOption())
    .action((paths: readonly string[], flags: ImportFlags) => importFiles(paths, flags, io))
}

async function importFiles(
  paths: readonly string[],
  { broker, json = false, ...flags }: ImportFlags,
  io: ClientIo,
): Promise<void> {
  const files = await Promise.all(paths.map(async (path) => ({ name: path, text: await readFile(path) })))
  await withConnection(flags, io, async (at) => {
    const rows: Imported[] = []
    for await (const row of new TableImport(at).into(broker, files)) rows.push(row)
    if (json) return print(io, `${JSON.stringify(rows)}\n`)
    if (rows.length > 0) {
      const cells = rows.map(({ kind, name, result, detail }) => [kind, name, result, detail])
      await print(io, table(['what', 'name', 'result', 'detail'], cells))
    }
    note(io, summary(rows))
  })
}

function summary(rows: readonly Imported[]): string {
  const results = ['made', 'changed', 'there already', 'skipped'] as const
  return results.map((result) => `${rows.filter((row) => row.result === result).length} ${result}`).join(', ')
}
