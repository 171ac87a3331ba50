using System.Globalization;
using ResumableUploads.Abstractions;

namespace ResumableUploads.Benchmarks.Servers;

/// <summary>The command line of a server process.</summary>
/// <param name="Kind">The server.</param>
/// <param name="Directory">The directory of the files.</param>
/// <param name="Durability">The durability of the package. With <c>PowerLoss</c>, the bare server syncs at the end of a body.</param>
/// <param name="Handler">What the package does with a finished upload.</param>
/// <param name="InMemory">Whether the package uses the memory store.</param>
/// <param name="LargeBuffers">Whether Kestrel receives into blocks of 64 KiB.</param>
/// <param name="SyncDelay">The time by which each sync is delayed.</param>
/// <param name="Listeners">What listens to the diagnostics of the package.</param>
/// <param name="MemoryUploads">The uploads that the memory store has from the start.</param>
internal sealed record ServeArguments(
    ServerKind Kind,
    string Directory,
    Durability Durability = Durability.ProcessCrash,
    CompletionHandler Handler = CompletionHandler.None,
    bool InMemory = false,
    bool LargeBuffers = false,
    TimeSpan SyncDelay = default,
    Listeners Listeners = Listeners.None,
    MemoryUploads MemoryUploads = default)
{
    public string[] ToArguments() =>
        ["serve", Kind.ToString(), Directory, Durability.ToString(), Handler.ToString(), InMemory ? "memory" : "files", LargeBuffers ? "large" : "default", SyncDelay.ToString("c"), Listeners.ToString(), MemoryUploads.ToString()];

    public static ServeArguments Parse(string[] args) => args is [var kind, var directory, var durability, var handler, var store, var buffers, var delay, var listeners, var uploads]
        ? new ServeArguments(
            Enum.Parse<ServerKind>(kind), directory, Enum.Parse<Durability>(durability), Enum.Parse<CompletionHandler>(handler), store == "memory", buffers == "large",
            TimeSpan.ParseExact(delay, "c", CultureInfo.InvariantCulture), Enum.Parse<Listeners>(listeners), MemoryUploads.Parse(uploads))
        : throw new ArgumentException("serve requires: kind, directory, durability, handler, store, buffers, sync-delay, listeners, uploads.", nameof(args));
}

/// <summary>The uploads of a memory store.</summary>
/// <param name="Count">The number of uploads.</param>
/// <param name="PerOwner">The number of uploads of each owner.</param>
internal readonly record struct MemoryUploads(int Count, int PerOwner)
{
    public static MemoryUploads Parse(string text) =>
        text.Split('/') is [var count, var perOwner]
            ? new MemoryUploads(int.Parse(count, CultureInfo.InvariantCulture), int.Parse(perOwner, CultureInfo.InvariantCulture))
            : throw new ArgumentException("The uploads must be count/per-owner.", nameof(text));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Count}/{PerOwner}");
}

internal enum ServerKind
{
    /// <summary>ResumableUploads.</summary>
    Ours,

    /// <summary>ResumableUploads with the dashboard.</summary>
    Dashboard,

    /// <summary>A minimal server that writes the segments of the body with gathered writes.</summary>
    Bare,

    /// <summary>Copies the body to a file with <c>CopyToAsync</c>, like most apps.</summary>
    CopyTo,

    /// <summary>Reads the body and discards it.</summary>
    Discard,

    /// <summary>The tus server for Node, with its file store.</summary>
    TusNode,
}
