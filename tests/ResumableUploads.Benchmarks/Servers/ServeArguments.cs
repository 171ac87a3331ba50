using ResumableUploads.Abstractions;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>What a server process is told on its command line.</summary>
/// <param name="Kind">Which server.</param>
/// <param name="Directory">Where its files go.</param>
/// <param name="Durability">For ours: what bytes are to survive. For the bare one: whether it syncs at the end of a body.</param>
/// <param name="MoveTo">Where ours moves finished uploads, or null.</param>
/// <param name="InMemory">Whether ours keeps uploads in memory.</param>
/// <param name="LargeBuffers">Whether Kestrel receives in blocks of 64 KiB.</param>
internal sealed record ServeArguments(
    ServerKind Kind, string Directory, Durability Durability = Durability.ProcessCrash, string? MoveTo = null, bool InMemory = false, bool LargeBuffers = false)
{
    public string[] ToArguments() =>
        ["serve", Kind.ToString(), Directory, Durability.ToString(), MoveTo ?? "-", InMemory ? "memory" : "files", LargeBuffers ? "large" : "default"];

    public static ServeArguments Parse(string[] args) => args is [var kind, var directory, var durability, var moveTo, var store, var buffers]
        ? new ServeArguments(
            Enum.Parse<ServerKind>(kind), directory, Enum.Parse<Durability>(durability), moveTo == "-" ? null : moveTo, store == "memory", buffers == "large")
        : throw new ArgumentException("serve: kind, directory, durability, move-to, store, buffers.", nameof(args));
}

internal enum ServerKind
{
    /// <summary>The package.</summary>
    Ours,

    /// <summary>The least that an app could do itself: gathered writes of the body's segments.</summary>
    Bare,

    /// <summary>What most apps do: <c>CopyToAsync</c> from the body to a file.</summary>
    CopyTo,

    /// <summary>Reads the body, and keeps nothing.</summary>
    Discard,

    /// <summary>The tus server for Node, with its file store.</summary>
    TusNode,
}
