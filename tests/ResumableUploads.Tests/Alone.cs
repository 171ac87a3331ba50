namespace ResumableUploads.Tests;

[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;
