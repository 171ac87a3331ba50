namespace ResumableUploads.FunctionalTests;

/// <summary>A collection of tests that do not run in parallel with other tests, because they measure time or start a process.</summary>
[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;
