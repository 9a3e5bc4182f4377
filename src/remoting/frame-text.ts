/** Writes numbers and texts into frames. Short ones byte by byte here: a call into the runtime costs more than they do. */

/** Strings up to this length are written here; longer ones are worth the call into the runtime. */
const SHORT_TEXT = 24
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const LAST_ASCII = 0x7e

/** `text` as UTF-8 at `at`; returns where it ends, as all of these do. */
export function writeText(block: Buffer, at: number, text: string): number {
  const length = text.length
  if (length > SHORT_TEXT) return at + block.write(text, at)
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return at + block.write(text, at)
    block[at + i] = unit
  }
  return at + length
}

export function writeValue(block: Buffer, at: number, value: string | number | boolean): number {
  if (typeof value === 'string') return writeText(block, at, value)
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return writeDigits(block, at, value)
  return writeText(block, at, String(value))
}

function writeDigits(block: Buffer, at: number, value: number): number {
  let digits = 1
  for (let bound = 10; bound <= value; bound *= 10) digits += 1
  let rest = value
  let i = at + digits - 1
  // Above 32 bits every division is one of doubles: take off nine digits at a time.
  while (rest > 0x7fffffff) {
    const high = Math.floor(rest / 1e9)
    let low = rest - high * 1e9
    for (let k = 0; k < 9; k++) {
      const quotient = (low / 10) | 0
      block[i--] = 48 + low - quotient * 10
      low = quotient
    }
    rest = high
  }
  do {
    const quotient = (rest / 10) | 0
    block[i--] = 48 + rest - quotient * 10
    rest = quotient
  } while (i >= at)
  return at + digits
}

export function writeInt32(block: Buffer, at: number, value: number): void {
  block[at] = value >>> 24
  block[at + 1] = value >>> 16
  block[at + 2] = value >>> 8
  block[at + 3] = value
}

/** A value of a JSON header, as a text in quotes. Takes at most `6 × length + 2` bytes of a string. */
export function writeQuoted(block: Buffer, at: number, value: string | number | boolean): number {
  block[at] = QUOTE
  const end = typeof value === 'string' ? writePlain(block, at + 1, value) : writeValue(block, at + 1, value)
  if (end < 0) return at + block.write(JSON.stringify(value), at)
  block[end] = QUOTE
  return end + 1
}

/** Negative when something in `text` needs an escape, or is not ASCII. */
function writePlain(block: Buffer, at: number, text: string): number {
  const length = text.length
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < SPACE || unit > LAST_ASCII || unit === QUOTE || unit === BACKSLASH) return -1
    block[at + i] = unit
  }
  return at + length
}
