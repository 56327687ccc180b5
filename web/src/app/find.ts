// What a person typed, taken apart: words of what to do, and words to look for.

/** A command by all the words it goes by. */
export interface Named {
  label: string
  /** Further words it is known by, in any language. */
  also?: string
}

const HAN = /\p{Script=Han}/u

/** Chinese is written without spaces: between it and other letters there are words' ends. */
export const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/\s+|(?<=\p{Script=Han})(?=[^\s\p{Script=Han}])|(?<=[^\s\p{Script=Han}])(?=\p{Script=Han})/u)
    .filter(Boolean)

export const fits = ({ label, also = '' }: Named, words: string[]): boolean => {
  const text = `${label} ${also}`.toLowerCase()
  return words.every((word) => text.includes(word))
}

/** What is left to look for on the server, without the words of what to do; all of them, where no others are left. */
export function toLookFor(words: string[], verbs: string[]): string {
  const known = verbs.flatMap(wordsOf)
  const says = (word: string): boolean =>
    HAN.test(word) ? known.some((k) => k.includes(word)) : word.length > 2 && known.some((k) => k.startsWith(word))
  const rest = words.filter((word) => !says(word))
  return (rest.length > 0 ? rest : words).join(' ')
}
