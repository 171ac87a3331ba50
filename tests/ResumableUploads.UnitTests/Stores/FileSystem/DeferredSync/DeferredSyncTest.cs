using System.Buffers;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Stores.FileSystem.Scheduling;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.DeferredSync;

/// <summary>Base class of tests of changes that are not durable at once. Records what the store syncs.</summary>
public abstract class DeferredSyncTest : FileSystemStoreTest
{
    private readonly GroupRecordingFiles _files = new();

    protected DeferredSyncTest() => Store = NewStore(files: _files);

    internal FileSystemUploadStore Store { get; }

    internal FaultyFiles Disk => _files;

    /// <summary>Gets the syncs that were made since the last <see cref="Clear"/>, in ordinal order: the paths below the directory of the uploads.</summary>
    protected string[] Syncs
    {
        get
        {
            lock (_files.Syncs)
            {
                return [.. _files.Syncs.Select(GetName).Order(StringComparer.Ordinal)];
            }
        }
    }

    /// <summary>Gets the syncs that were made at the same time as others, one array for each group.</summary>
    protected string[][] Groups => [.. _files.Groups.Select(static group => group.Select(GetName).Order(StringComparer.Ordinal).ToArray())];

    protected static string[] RecordAndAncestors { get; } = ["owner", "owner/up", "owner/up/upload-1", "owner/up/upload-1/record", "uploads"];

    protected string RecordPath => Path.Combine(UploadDirectory, "record.json");

    protected string ResponsePath => Path.Combine(UploadDirectory, "outcome");

    /// <summary>Gets the names of the files of the upload that are no parts of every upload.</summary>
    protected string[] ExtraFiles => [.. Directory.GetFiles(UploadDirectory).Select(static path => Path.GetFileName(path)!)
        .Where(static name => name != "record.json" && Path.GetExtension(name) is not (".data" or ".mark" or ".lock"))
        .Select(static name => name.EndsWith(".outcome", StringComparison.Ordinal) ? "RANDOM.outcome" : name).Order(StringComparer.Ordinal)];

    protected void Clear()
    {
        lock (_files.Syncs)
        {
            _files.Syncs.Clear();
        }

        _files.Groups.Clear();
    }

    protected async Task<UploadInfo> ReceiveDeferredAsync(byte[]? content = null)
    {
        await CreateAsync(Store);
        await AppendAsync(Store, 0, content ?? Bytes(100));
        UploadInfo info = await GetAsync(Store);
        Clear();
        return await UpdateDeferredAsync(info);
    }

    protected async Task<UploadInfo> UpdateDeferredAsync(UploadInfo info, byte data = 1)
    {
        UpdateResult result = await Store.UpdateDeferredAsync(Key, info.Version, Received(data), None);
        Assert.Equal(ChangeStatus.Succeeded, result.Status);
        return result.Info!;
    }

    protected async Task<UploadInfo> CompleteAsync(UploadInfo info, byte[] response)
    {
        UpdateResult result = await Store.CompleteAsync(Key, info.Version, Completed, response, None);
        Assert.Equal(ChangeStatus.Succeeded, result.Status);
        return result.Info!;
    }

    protected async Task<UploadInfo> CreateCompletedDeferredAsync(byte[] content)
    {
        CreateResult result = await Store.CreateCompletedDeferredAsync(Key, Received(1), new ReadOnlySequence<byte>(content), None);
        Assert.Equal(CreateStatus.Created, result.Status);
        return result.Info!;
    }

    protected static UploadRecord Received(byte data) => new() { State = UploadState.Received, Data = new[] { data } };

    protected static UploadRecord Completed { get; } = new() { State = UploadState.Completed, Data = new byte[] { 9 } };

    protected async Task<byte[]?> GetResponseAsync(FileSystemUploadStore? store = null) => (await (store ?? Store).GetResponseAsync(Key, None))?.ToArray();

    /// <summary>Returns the path below the directory of the uploads, without random names. A directory that is being created is called <c>new</c>.</summary>
    private static string GetName(string path)
    {
        string name = Path.GetFileName(path);
        bool isDirectory = !name.Contains('.', StringComparison.Ordinal) && name != StorePaths.LegacyResponseFileName;
        string directory = isDirectory ? path : Path.GetDirectoryName(path)!;
        int uploads = directory.IndexOf("/uploads/", StringComparison.Ordinal);
        directory = uploads >= 0 ? directory[(uploads + "/uploads/".Length)..] : directory.Contains("/temp/", StringComparison.Ordinal) ? "new" : Path.GetFileName(directory);
        return isDirectory ? directory
            : name.StartsWith(StorePaths.RecordFileName, StringComparison.Ordinal) ? directory + "/record"
            : name == StorePaths.LegacyResponseFileName ? directory + "/outcome"
            : directory + "/" + Path.GetExtension(name)[1..];
    }

    private sealed class GroupRecordingFiles : FaultyFiles
    {
        public List<string> Syncs { get; } = [];

        public List<List<string>> Groups { get; } = [];

        public override void Sync(OpenFile file)
        {
            Add(file.Path);
            base.Sync(file);
        }

        public override void SyncDirectory(string path)
        {
            Add(path);
            base.SyncDirectory(path);
        }

        public override ReplacedFile? ReplaceFile(
            in FileReplacement replacement, ReadOnlySpan<byte> content)
        {
            ReplacedFile? replaced = base.ReplaceFile(replacement, content);
            if (replaced is { IsContentSynced: true })
            {
                Add(replacement.Path);
            }

            return replaced;
        }

        public override void SyncAll(ReadOnlySpan<SyncTarget> targets, ParallelSync parallel, FileLayer outer)
        {
            List<string> group = [];
            foreach (SyncTarget target in targets)
            {
                group.Add(target.File?.Path ?? target.Directory!);
            }

            Groups.Add(group);
            base.SyncAll(targets, parallel, outer);
        }

        private void Add(string path)
        {
            lock (Syncs)
            {
                Syncs.Add(path);
            }
        }
    }
}
