// Types of the API, from the document that the server makes of its routes (`make openapi` brings it here).
import { readFile, writeFile } from 'node:fs/promises'
import openapiTS, { astToString } from 'openapi-typescript'

const document = JSON.parse(await readFile(new URL('../openapi.json', import.meta.url), 'utf8'))
const types = astToString(await openapiTS(document, { defaultNonNullable: false, alphabetize: false }))
const names = Object.keys(document.components.schemas)
const short = names.map((name) => `export type ${name} = components['schemas']['${name}']`).join('\n')
const file = new URL('../src/api/schema.ts', import.meta.url)
const text = `// Made by scripts/generate.mjs.\n${types}\n${short}\n`
const old = await readFile(file, 'utf8').catch(() => '')
if (old !== text) await writeFile(file, text)
