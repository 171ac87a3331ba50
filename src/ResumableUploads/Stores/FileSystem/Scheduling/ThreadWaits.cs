using System.Diagnostics;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>Counts how often a thread has waited, which tells a slow disk from a busy processor.</summary>
internal static class ThreadWaits
{
    private const int CurrentThread = 1;
    private const int StructureLength = 18;
    private const int VoluntarySwitches = 16;

    private static readonly bool IsSupported = OperatingSystem.IsLinux() && Environment.Is64BitProcess;

    /// <summary>
    /// Returns how often the current thread has given up its processor to wait, for example for a disk or a lock. Where the system does not count that, returns a
    /// number that increases with each call, as if the thread had waited.
    /// </summary>
    public static unsafe long GetCount()
    {
        long* usage = stackalloc long[StructureLength];
        return IsSupported && NativeMethods.GetResourceUsage(CurrentThread, usage) == 0 ? usage[VoluntarySwitches] : Stopwatch.GetTimestamp();
    }
}
