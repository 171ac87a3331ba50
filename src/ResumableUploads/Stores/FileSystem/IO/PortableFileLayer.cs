using System.Buffers;
using System.IO.Enumeration;
using ResumableUploads.Stores.FileSystem.IO.Directories;

namespace ResumableUploads.Stores.FileSystem.IO;

/// <summary>
/// The layer that uses only the framework, the base of all others. Directories cannot be synced with it, so the names of files are assumed to be durable
/// immediately, as on Windows.
/// </summary>
internal class PortableFileLayer : FileLayer
{
    private static readonly string ProcessId = Guid.NewGuid().ToString("D");
    private static readonly EnumerationOptions AllEntries = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    public override string BootId => ProcessId;

    public override bool FileExists(string path) => File.Exists(path);

    public override bool DirectoryExists(string path) => Directory.Exists(path);

    public override void CreateDirectory(string path) => Directory.CreateDirectory(path);

    public override bool TryCreateDirectory(string path)
    {
        bool isPossible = Directory.Exists(Path.GetDirectoryName(path));
        if (isPossible)
        {
            Directory.CreateDirectory(path);
        }

        return isPossible;
    }

    public override void DeleteFile(string path) => File.Delete(path);

    public override void DeleteDirectory(string path, bool recursive) => Directory.Delete(path, recursive);

    public override void DeleteEmptyDirectory(string path)
    {
        try
        {
            Directory.Delete(path, recursive: false);
        }
        catch (Exception e) when (StorageErrors.IsStorageError(e))
        {
            // The directory is no longer empty, or is already deleted.
        }
    }

    public override FileStat? Stat(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? new FileStat(file.Length, file.LastWriteTimeUtc) : null;
    }

    public override List<string> GetDirectoryNames(string path, string? after, int count)
    {
        var page = new OrderedNamePage(after, count);
        var entries = new FileSystemEnumerable<bool>(path, (ref entry) => page.Add(entry.FileName), AllEntries)
        {
            ShouldIncludePredicate = static (ref entry) => entry.IsDirectory,
        };
        foreach (bool _ in entries)
        {
        }

        return page.ToList();
    }

    public override List<string> GetFileNames(string path) => [.. new DirectoryInfo(path).EnumerateFiles("*", AllEntries).Select(static file => file.Name)];

    public override DateTime GetDirectoryLastWriteTime(string path) => Directory.GetLastWriteTimeUtc(path);

    public override void SetDirectoryLastWriteTime(string path, DateTime time) => Directory.SetLastWriteTimeUtc(path, time);

    public override long GetAvailableFreeSpace(string path) => new DriveInfo(path).AvailableFreeSpace;

    public override byte[]? ReadFile(string path, int maxLength)
    {
        // Checked first, because most keys that are looked up do not exist and an exception is expensive.
        if (!FileExists(path))
        {
            return null;
        }

        try
        {
            using OpenFile file = OpenRead(path);
            byte[] bytes = new byte[(int)Math.Min(GetLength(file), maxLength + 1L)];
            return bytes.AsSpan(0, file.Read(bytes, 0)).ToArray();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public override int? ReadPrefix(string path, Span<byte> buffer)
    {
        byte[]? bytes = ReadFile(path, buffer.Length);
        int count = Math.Min(bytes?.Length ?? 0, buffer.Length);
        bytes.AsSpan(0, count).CopyTo(buffer);
        return bytes is null ? null : count;
    }

    public override FileSnapshot? ReadSnapshot(string path, int maxLength) =>
        ReadFile(path, maxLength) is { } bytes ? FileSnapshot.Copy(path, bytes) : null;

    public override bool IsUnchanged(FileSnapshot snapshot) =>
        snapshot.Content.SequenceEqual(ReadFile(snapshot.Path, snapshot.Content.Length));

    public override OpenFile OpenRead(string path) => Open(path, FileMode.Open, FileAccess.Read);

    public override OpenFile OpenWrite(string path) => Open(path, FileMode.Open, FileAccess.ReadWrite);

    public override OpenFile CreateFile(string path) => Open(path, FileMode.CreateNew, FileAccess.ReadWrite);

    public override OpenFile? TryLock(string path)
    {
        try
        {
            return new(File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None), path);
        }
        catch (IOException e) when (StorageErrors.IsLocked(e))
        {
            return null;
        }
    }

    public override long GetLength(OpenFile file) => RandomAccess.GetLength(file.Handle);

    public sealed override void Write(OpenFile file, ReadOnlySequence<byte> content, long offset)
    {
        try
        {
            WriteSegments(file, content, offset);
        }
        catch (ArgumentOutOfRangeException e)
        {
            // The framework reports EFBIG like this: the file is larger than the file system or a limit of the process allows.
            throw new IOException($"Writing '{file.Path}' at offset {offset} failed: {e.Message}", NativeMethods.EFBIG);
        }
    }

    public override long CopyRange(OpenFile from, long fromOffset, OpenFile to, long toOffset, long count) => 0;

    public override void Preallocate(OpenFile file, long offset, long length)
    {
    }

    public override void StartWriteback(OpenFile file, long offset, long length)
    {
    }

    public override void Truncate(OpenFile file, long length) => RandomAccess.SetLength(file.Handle, length);

    public override void SetLastWriteTime(OpenFile file, DateTime time) => File.SetLastWriteTimeUtc(file.Handle, time);

    public override void Sync(OpenFile file)
    {
#pragma warning disable RS0030 // FlushToDisk is banned because it hides errors on Linux. On Windows it reports them.
        RandomAccess.FlushToDisk(file.Handle);
#pragma warning restore RS0030
    }

    public override void SyncDirectory(string path)
    {
    }

    public override bool IsNameUnsynced(FileSnapshot snapshot) => false;

    public override bool IsNameUnsynced(OpenFile file) => false;

    public override void MarkNameUnsynced(OpenFile file)
    {
    }

    public override void MarkSyncFailed(OpenFile file)
    {
    }

    public override bool HasSyncFailed(FileSnapshot snapshot) => false;

    public override void MarkNameSynced(OpenFile file)
    {
    }

    public override ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content)
    {
        // A directory with an open file cannot be renamed on Windows, so it cannot be exchanged between these steps.
        Span<byte> guard = stackalloc byte[FileReplacement.GuardPrefixLength];
        if (ReadPrefix(Path.Combine(replacement.Directory, replacement.GuardName), guard) is not { } count || !replacement.IsGuarded(guard[..count]))
        {
            return null;
        }

        OpenFile? file = null;
        bool isReplaced = false;
        try
        {
            if (replacement.ObsoleteName is { } obsolete)
            {
                DeleteFile(Path.Combine(replacement.Directory, obsolete));
            }

            string temporary = replacement.TemporaryPath;
            bool sync = replacement.Mode != FileReplacementMode.Unsynced;
            file = new OpenFile(File.OpenHandle(temporary, FileMode.Create, FileAccess.Write), temporary);
            SetPrivateMode(file);
            RandomAccess.Write(file.Handle, content, 0);
            if (sync)
            {
                MarkNameUnsynced(file);
                Sync(file);
            }

            PrepareRename(file);
            RenameFile(temporary, replacement.Path);
            isReplaced = true;
            return new ReplacedFile(file, replacement.Directory, isContentSynced: sync, previousName: null);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        finally
        {
            if (!isReplaced)
            {
                file?.Dispose();
            }
        }
    }

    public override void RenameFile(string from, string to) => File.Move(from, to, overwrite: true);

    public override bool CanExchangeNames => false;

    /// <summary>Not supported: <see cref="ReplaceFile"/> keeps no old file that could get its name back.</summary>
    public override void ExchangeFiles(string first, string second) => throw new NotSupportedException();

    public override bool RenameFileNoReplace(string from, string to)
    {
        try
        {
            File.Move(from, to, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(to))
        {
            return false;
        }
    }

    public override bool RenameDirectory(string from, string to)
    {
        try
        {
            Directory.Move(from, to);
            return true;
        }
        catch (IOException) when (Directory.Exists(from) && Directory.Exists(to))
        {
            return false;
        }
    }

    /// <summary>Opens or creates a file that other handles may use at the same time.</summary>
    protected virtual OpenFile Open(string path, FileMode mode, FileAccess access)
    {
        var file = new OpenFile(File.OpenHandle(path, mode, access, FileShare.ReadWrite | FileShare.Delete), path);
        if (mode == FileMode.CreateNew)
        {
            SetPrivateMode(file);
        }

        return file;
    }

    /// <summary>Makes a new file accessible only to the account of the process. Does nothing on Windows, where files inherit the access rules of their directory.</summary>
    protected virtual void SetPrivateMode(OpenFile file)
    {
    }

    protected virtual void WriteSegments(OpenFile file, in ReadOnlySequence<byte> content, long offset)
    {
        foreach (ReadOnlyMemory<byte> segment in content)
        {
            RandomAccess.Write(file.Handle, segment.Span, offset);
            offset += segment.Length;
        }
    }

    /// <summary>Closes the file, because Windows cannot rename an open one.</summary>
    protected virtual void PrepareRename(OpenFile file) => file.Dispose();
}
