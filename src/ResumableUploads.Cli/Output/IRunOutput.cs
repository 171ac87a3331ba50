namespace ResumableUploads.Cli.Output;

/// <summary>Prints events. Its methods can be called concurrently.</summary>
internal interface IRunOutput : IAsyncDisposable
{
    /// <summary>Prepares for a run.</summary>
    /// <param name="count">The number of files.</param>
    /// <param name="size">The sum of the known sizes.</param>
    void Start(int count, long size);

    void Write(CliEvent entry);
}
