/** What those who work with one thing of an engine need of it: a container, a pod, an image. */
export type EngineCommands = {
  /** Whether it is podman, which plays Kubernetes manifests. */
  readonly playsPods: boolean;
  /** Runs one command of the engine to its end; what it printed on stdout. @throws Error with what it said */
  command(args: readonly string[], options?: { timeoutMs?: number }): Promise<string>;
  /** The program and arguments that run a command of the engine, for those who want its output as it comes. */
  commandLine(args: readonly string[]): readonly [string, ...string[]];
  /** The image that the project's images are built upon. */
  baseImage(): Promise<string>;
  /** A name for a container or pod that nothing else has. */
  newName(): string;
};
