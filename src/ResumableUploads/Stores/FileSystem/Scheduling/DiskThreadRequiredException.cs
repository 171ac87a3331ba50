namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>
/// Thrown by a call that runs on the thread of its caller and finds that it must wait for the disk. It has changed nothing yet. The scheduler runs it again
/// on a thread of its own.
/// </summary>
internal sealed class DiskThreadRequiredException() : Exception("The call must wait for the disk, and does not run on a thread of the store.");
