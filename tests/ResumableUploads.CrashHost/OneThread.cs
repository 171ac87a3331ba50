using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.CrashHost;

/// <summary>
/// Creates stores that make all system calls on the threads of their callers, and none because of the time that has passed, so that a tracer can number the calls.
/// </summary>
internal static class OneThread
{
    public static FileSystemUploadStore CreateStore(FileSystemUploadStoreOptions options) =>
        new(options, new StoppedClock(), logger: null, FileLayer.Default, new DiskScheduler("unused", maxThreads: 0, TimeProvider.System));
}
