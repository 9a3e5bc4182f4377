/** TypeScript sources as text: what `tidy.test.ts` needs to read of them, without a compiler. */

export interface SourceFile {
  /** From the root of the checkout, with forward slashes. */
  readonly path: string
  readonly text: string
}

const REGEX_MAY_FOLLOW = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\breturn|\btypeof|\bcase|=>)\s*$/

/**
 * `text` with comments, and with `strings` also the insides of strings, templates and regular expressions, turned into
 * spaces. Lines stay where they are.
 */
export function stripText(text: string, strings: boolean): string {
  const output: string[] = []
  /** Braces open inside each template hole that is being read. */
  const holes: number[] = []
  let at = 0
  const keep = (end: number): void => {
    output.push(text.slice(at, end))
    at = end
  }
  const blank = (end: number): void => {
    output.push(text.slice(at, end).replaceAll(/[^\n]/g, ' '))
    at = end
  }
  const quoted = (end: number): void => (strings ? blank(end) : keep(end))
  const template = (): void => {
    while (at < text.length) {
      const end = scanTemplate(text, at)
      quoted(end)
      if (text.startsWith('${', at)) {
        keep(at + 2)
        holes.push(0)
        return
      }
      keep(at + 1)
      return
    }
  }
  while (at < text.length) {
    const char = text.charAt(at)
    const two = text.slice(at, at + 2)
    if (two === '//') blank(orEnd(text.indexOf('\n', at), text))
    else if (two === '/*') blank(Math.min(orEnd(text.indexOf('*/', at + 2), text) + 2, text.length))
    else if (char === "'" || char === '"') {
      keep(at + 1)
      quoted(scanQuoted(text, at, char))
      keep(Math.min(at + 1, text.length))
    } else if (char === '`') {
      keep(at + 1)
      template()
    } else if (char === '{' && holes.length > 0) {
      holes.push((holes.pop() ?? 0) + 1)
      keep(at + 1)
    } else if (char === '}' && holes.length > 0) {
      const depth = holes.pop() ?? 0
      keep(at + 1)
      if (depth > 0) holes.push(depth - 1)
      else template()
    } else if (char === '/' && REGEX_MAY_FOLLOW.test(text.slice(Math.max(at - 40, 0), at))) {
      keep(at + 1)
      quoted(scanRegex(text, at))
      keep(Math.min(at + 1, text.length))
    } else keep(at + 1)
  }
  return output.join('')
}

const orEnd = (found: number, text: string): number => (found === -1 ? text.length : found)

function scanQuoted(text: string, from: number, quote: string): number {
  let at = from
  while (at < text.length && text.charAt(at) !== quote) at += text.charAt(at) === '\\' ? 2 : 1
  return Math.min(at, text.length)
}

function scanTemplate(text: string, from: number): number {
  let at = from
  while (at < text.length && text.charAt(at) !== '`' && !text.startsWith('${', at)) {
    at += text.charAt(at) === '\\' ? 2 : 1
  }
  return Math.min(at, text.length)
}

function scanRegex(text: string, from: number): number {
  let inClass = false
  let at = from
  while (at < text.length && (inClass || text.charAt(at) !== '/') && text.charAt(at) !== '\n') {
    if (text.charAt(at) === '[') inClass = true
    if (text.charAt(at) === ']') inClass = false
    at += text.charAt(at) === '\\' ? 2 : 1
  }
  return Math.min(at, text.length)
}

export interface Import {
  readonly from: string
  /** A path of the checkout, or the name of a package or of a part of Node. */
  readonly to: string
  readonly isType: boolean
}

const IMPORT = /(?:^|\n)\s*(import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/g

export function importsOf(file: SourceFile): readonly Import[] {
  return [...stripText(file.text, false).matchAll(IMPORT)].map(([, , type, from = '', dynamic]) => {
    const specifier = dynamic ?? from
    const to = specifier.startsWith('.') ? resolvePath(file.path, specifier) : specifier
    return { from: file.path, to, isType: type !== undefined }
  })
}

function resolvePath(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}
