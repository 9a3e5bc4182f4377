// npm test: installs and builds what is missing, then all tests that need only Node. Arguments go to vitest
// (npm test -- test/raft, npm test -- --coverage).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, install, main, readJson, runNode, summary, tool } from './steps.mjs'

await main(async (args) => {
  await install()
  await build()
  const folder = mkdtempSync(join(tmpdir(), 'raftmq-test-'))
  try {
    const results = join(folder, 'results.json')
    const code = await runNode(tool('vitest'), [
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${results}`,
      ...args,
    ])
    console.log(summary(counts(results)))
    return code
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** A file that could not be loaded has no tests and counts as one that failed. */
function counts(file) {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = readJson(file)
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  )
  return {
    passed: numPassedTests,
    failed: numFailedTests + broken.length,
    skipped: numPendingTests + numTodoTests,
  }
}
