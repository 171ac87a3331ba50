using System.Buffers;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;

namespace ResumableUploads.Stores.FileSystem.Monitoring;

/// <summary>Passes all operations to another layer. Subclasses override those to which they add something.</summary>
internal abstract class FileLayerDecorator(FileLayer inner) : FileLayer
{
    public override string BootId => inner.BootId;

    public override bool FileExists(string path) => inner.FileExists(path);

    public override bool DirectoryExists(string path) => inner.DirectoryExists(path);

    public override void CreateDirectory(string path) => inner.CreateDirectory(path);

    public override bool TryCreateDirectory(string path) => inner.TryCreateDirectory(path);

    public override void DeleteFile(string path) => inner.DeleteFile(path);

    public override void DeleteDirectory(string path, bool recursive) => inner.DeleteDirectory(path, recursive);

    public override void DeleteEmptyDirectory(string path) => inner.DeleteEmptyDirectory(path);

    public override FileStat? Stat(string path) => inner.Stat(path);

    public override List<string> GetDirectoryNames(string path, string? after, int count) => inner.GetDirectoryNames(path, after, count);

    public override List<string> GetFileNames(string path) => inner.GetFileNames(path);

    public override DateTime GetDirectoryLastWriteTime(string path) => inner.GetDirectoryLastWriteTime(path);

    public override void SetDirectoryLastWriteTime(string path, DateTime time) => inner.SetDirectoryLastWriteTime(path, time);

    public override long GetAvailableFreeSpace(string path) => inner.GetAvailableFreeSpace(path);

    public override byte[]? ReadFile(string path, int maxLength) => inner.ReadFile(path, maxLength);

    public override int? ReadPrefix(string path, Span<byte> buffer) => inner.ReadPrefix(path, buffer);

    public override FileSnapshot? ReadSnapshot(string path, int maxLength) => inner.ReadSnapshot(path, maxLength);

    public override bool IsUnchanged(FileSnapshot snapshot) => inner.IsUnchanged(snapshot);

    public override OpenFile OpenRead(string path) => inner.OpenRead(path);

    public override OpenFile OpenWrite(string path) => inner.OpenWrite(path);

    public override OpenFile CreateFile(string path) => inner.CreateFile(path);

    public override OpenFile? TryLock(string path) => inner.TryLock(path);

    public override long GetLength(OpenFile file) => inner.GetLength(file);

    public override void Write(OpenFile file, ReadOnlySequence<byte> content, long offset) => inner.Write(file, content, offset);

    public override long CopyRange(OpenFile from, long fromOffset, OpenFile to, long toOffset, long count) =>
        inner.CopyRange(from, fromOffset, to, toOffset, count);

    public override void Preallocate(OpenFile file, long offset, long length) => inner.Preallocate(file, offset, length);

    public override void StartWriteback(OpenFile file, long offset, long length) => inner.StartWriteback(file, offset, length);

    public override void Truncate(OpenFile file, long length) => inner.Truncate(file, length);

    public override void SetLastWriteTime(OpenFile file, DateTime time) => inner.SetLastWriteTime(file, time);

    public override void Sync(OpenFile file) => inner.Sync(file);

    public override void SyncDirectory(string path) => inner.SyncDirectory(path);

    public override void SyncAll(ReadOnlySpan<SyncTarget> targets, ParallelSync parallel, FileLayer outer) => inner.SyncAll(targets, parallel, outer);

    public override bool IsNameUnsynced(FileSnapshot snapshot) => inner.IsNameUnsynced(snapshot);

    public override bool IsNameUnsynced(OpenFile file) => inner.IsNameUnsynced(file);

    public override void MarkNameUnsynced(OpenFile file) => inner.MarkNameUnsynced(file);

    public override void MarkSyncFailed(OpenFile file) => inner.MarkSyncFailed(file);

    public override bool HasSyncFailed(FileSnapshot snapshot) => inner.HasSyncFailed(snapshot);

    public override void MarkNameSynced(OpenFile file) => inner.MarkNameSynced(file);

    public override ReplacedFile? ReplaceFile(in FileReplacement replacement, ReadOnlySpan<byte> content) => inner.ReplaceFile(replacement, content);

    public override void RenameFile(string from, string to) => inner.RenameFile(from, to);

    public override bool CanExchangeNames => inner.CanExchangeNames;

    public override void ExchangeFiles(string first, string second) => inner.ExchangeFiles(first, second);

    public override OpenFile OpenSibling(ReplacedFile replaced, string name) => inner.OpenSibling(replaced, name);

    public override void DeleteSibling(ReplacedFile replaced, string name) => inner.DeleteSibling(replaced, name);

    public override void ExchangeSiblings(ReplacedFile replaced, string first, string second) => inner.ExchangeSiblings(replaced, first, second);

    public override bool RenameFileNoReplace(string from, string to) => inner.RenameFileNoReplace(from, to);

    public override bool RenameDirectory(string from, string to) => inner.RenameDirectory(from, to);
}
