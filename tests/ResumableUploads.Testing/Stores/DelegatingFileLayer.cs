using System.Buffers;
using ResumableUploads.Stores.FileSystem.IO;

namespace ResumableUploads.Testing.Stores;

/// <summary>The real file system, as a base class for tests that replace single operations.</summary>
internal class DelegatingFileLayer : FileLayer
{
    private readonly FileLayer _inner = Default;

    public override string BootId => _inner.BootId;

    public override bool FileExists(string path) => _inner.FileExists(path);

    public override bool DirectoryExists(string path) => _inner.DirectoryExists(path);

    public override void CreateDirectory(string path) => _inner.CreateDirectory(path);

    public override bool TryCreateDirectory(string path) => _inner.TryCreateDirectory(path);

    public override void DeleteFile(string path) => _inner.DeleteFile(path);

    public override void DeleteDirectory(string path, bool recursive) => _inner.DeleteDirectory(path, recursive);

    public override void DeleteEmptyDirectory(string path) => _inner.DeleteEmptyDirectory(path);

    public override FileStat? Stat(string path) => _inner.Stat(path);

    public override List<string> GetDirectoryNames(string path, string? after, int count) => _inner.GetDirectoryNames(path, after, count);

    public override List<string> GetFileNames(string path) => _inner.GetFileNames(path);

    public override DateTime GetDirectoryLastWriteTime(string path) => _inner.GetDirectoryLastWriteTime(path);

    public override void SetDirectoryLastWriteTime(string path, DateTime time) => _inner.SetDirectoryLastWriteTime(path, time);

    public override long GetAvailableFreeSpace(string path) => _inner.GetAvailableFreeSpace(path);

    public override byte[]? ReadFile(string path, int maxLength) => _inner.ReadFile(path, maxLength);

    public override int? ReadPrefix(string path, Span<byte> buffer) => _inner.ReadPrefix(path, buffer);

    public override FileSnapshot? ReadSnapshot(string path, int maxLength) => _inner.ReadSnapshot(path, maxLength);

    public override bool IsUnchanged(FileSnapshot snapshot) => _inner.IsUnchanged(snapshot);

    public override OpenFile OpenRead(string path) => _inner.OpenRead(path);

    public override OpenFile OpenWrite(string path) => _inner.OpenWrite(path);

    public override OpenFile CreateFile(string path) => _inner.CreateFile(path);

    public override OpenFile? TryLock(string path) => _inner.TryLock(path);

    public override long GetLength(OpenFile file) => _inner.GetLength(file);

    public override void Write(OpenFile file, ReadOnlySequence<byte> content, long offset) => _inner.Write(file, content, offset);

    public override long CopyRange(OpenFile from, long fromOffset, OpenFile to, long toOffset, long count) =>
        _inner.CopyRange(from, fromOffset, to, toOffset, count);

    public override void Preallocate(OpenFile file, long offset, long length) => _inner.Preallocate(file, offset, length);

    public override void StartWriteback(OpenFile file, long offset, long length) => _inner.StartWriteback(file, offset, length);

    public override void Truncate(OpenFile file, long length) => _inner.Truncate(file, length);

    public override void SetLastWriteTime(OpenFile file, DateTime time) => _inner.SetLastWriteTime(file, time);

    public override void Sync(OpenFile file) => _inner.Sync(file);

    public override void SyncDirectory(string path) => _inner.SyncDirectory(path);

    public override bool IsNameUnsynced(FileSnapshot snapshot) => _inner.IsNameUnsynced(snapshot);

    public override void MarkNameUnsynced(OpenFile file) => _inner.MarkNameUnsynced(file);

    public override void MarkNameSynced(OpenFile file) => _inner.MarkNameSynced(file);

    public override bool ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content) => _inner.ReplaceFile(replacement, content);

    public override void RenameFile(string from, string to) => _inner.RenameFile(from, to);

    public override bool RenameFileNoReplace(string from, string to) => _inner.RenameFileNoReplace(from, to);

    public override bool RenameDirectory(string from, string to) => _inner.RenameDirectory(from, to);
}
