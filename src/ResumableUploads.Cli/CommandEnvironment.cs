namespace ResumableUploads.Cli;

/// <summary>What the command has from its process.</summary>
/// <param name="Output">The standard output.</param>
/// <param name="Error">The standard error.</param>
/// <param name="GetVariable">Returns an environment variable.</param>
internal sealed record CommandEnvironment(TextWriter Output, TextWriter Error, Func<string, string?> GetVariable)
{
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Gets how long a pause waits for requests to end. A read of standard input cannot be interrupted.</summary>
    public TimeSpan PauseTimeout { get; init; } = TimeSpan.FromSeconds(3);
}
