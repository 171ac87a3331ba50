namespace ResumableUploads.FaultTests;

[CollectionDefinition(DisableParallelization = true)]
public sealed class Alone;
