namespace ResumableUploads.Benchmarks.Servers;

/// <summary>What the package does with a finished upload.</summary>
internal enum CompletionHandler
{
    /// <summary>There is no handler.</summary>
    None,

    /// <summary>The handler returns at once.</summary>
    Return,

    /// <summary>The handler moves the file to another directory.</summary>
    Move,
}
