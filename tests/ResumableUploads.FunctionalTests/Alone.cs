namespace ResumableUploads.FunctionalTests;

[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;
