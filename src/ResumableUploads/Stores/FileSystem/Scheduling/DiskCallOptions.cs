namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>How a call of the file system is scheduled.</summary>
/// <param name="Lane">The calls that must not occupy all threads together, such as those of one owner or of one target directory.</param>
/// <param name="Kind">Whether the call is expected to wait for the device.</param>
/// <param name="AbandonDelay">
/// The time after which the caller stops waiting for a running call that was canceled, or null if it waits for its end, because the call uses memory or locks
/// of the caller. The call itself always runs to its end.
/// </param>
internal readonly record struct DiskCallOptions(string Lane, DiskCallKind Kind, TimeSpan? AbandonDelay);

/// <summary>Specifies whether a call of the file system is expected to wait for the device.</summary>
internal enum DiskCallKind
{
    /// <summary>The call reads only what is expected in the page cache. It may run on the thread of the caller.</summary>
    Read,

    /// <summary>The page cache is expected to take the call, which may write. It may run on the thread of the caller if that leaves a processor to the application.</summary>
    Cached,

    /// <summary>The call syncs, or copies files. It always runs on a thread of the store.</summary>
    Device,
}
