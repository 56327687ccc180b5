/** As the server takes it: the name of a variable, since that is what a process finds it by. */
export const isSecretName = (name: string): boolean => /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)
