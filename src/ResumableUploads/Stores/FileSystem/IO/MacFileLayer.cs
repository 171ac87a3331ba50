using Microsoft.Win32.SafeHandles;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>The layer for macOS, where fsync does not write through the cache of the disk.</summary>
internal sealed class MacFileLayer : UnixFileLayer
{
    protected override int SyncHandle(SafeFileHandle handle, bool dataOnly) => NativeMethods.Fcntl(handle, NativeMethods.FcntlFullFSync);
}
