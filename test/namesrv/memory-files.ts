import type { TextFiles } from '../../src/namesrv/text-files.ts'

/** Files in memory; `failWith` makes every write fail. */
export class MemoryFiles implements TextFiles {
  readonly texts = new Map<string, string>()
  failWith: Error | undefined

  read(path: string): string | undefined {
    return this.texts.get(path)
  }

  write(path: string, text: string): void {
    if (this.failWith !== undefined) throw this.failWith
    this.texts.set(path, text)
  }
}
