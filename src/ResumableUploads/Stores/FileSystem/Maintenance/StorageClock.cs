using System.Buffers;
using ResumableUploads.Infrastructure;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Stores.FileSystem.Maintenance;

/// <summary>
/// The clock that sets the modification times of files: on a network share that of the file server, which is the same for all machines. It is read from a file
/// that is written for this purpose. A time provider other than that of the system is the clock of the storage itself.
/// </summary>
internal sealed class StorageClock : AnchoredClock
{
    private static readonly ReadOnlySequence<byte> Content = new("."u8.ToArray());

    private readonly StorePaths _paths;
    private readonly FileLayer _files;

    public StorageClock(StorePaths paths, FileLayer files, TimeProvider time) : base(time)
    {
        _paths = paths;
        _files = files;
        ExpirationClock = new ExpirationClock(this, onJump: null);
    }

    /// <summary>Gets the time by which the store deletes what a crash left behind.</summary>
    public ExpirationClock ExpirationClock { get; }

    /// <summary>Reads the clock. Requires the directories of the store.</summary>
    public DateTimeOffset Read()
    {
        long start = GetTimestamp();
        if (Machine != System)
        {
            SetUtcNow(Machine.GetUtcNow(), start);
        }
        else
        {
            using (OpenFile file = Open())
            {
                _files.Write(file, Content, 0);
            }

            if (_files.Stat(_paths.Clock) is { } stat)
            {
                SetUtcNow(new DateTimeOffset(stat.LastWriteTime), start);
            }
        }

        return GetUtcNow();
    }

    private OpenFile Open()
    {
        try
        {
            return _files.OpenWrite(_paths.Clock);
        }
        catch (FileNotFoundException)
        {
            return Create();
        }
    }

    private OpenFile Create()
    {
        try
        {
            return _files.CreateFile(_paths.Clock);
        }
        catch (IOException) when (_files.FileExists(_paths.Clock))
        {
            // Another process has created it.
            return _files.OpenWrite(_paths.Clock);
        }
    }
}
