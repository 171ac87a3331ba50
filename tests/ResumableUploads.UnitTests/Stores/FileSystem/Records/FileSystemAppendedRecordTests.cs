using System.Security.Cryptography;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Records;

/// <summary>Changes of a record that are appended to its file.</summary>
public class FileSystemAppendedRecordTests : FileSystemStoreTest
{
    private string RecordPath => Path.Combine(UploadDirectory, "record.json");

    [Fact]
    public async Task Incomplete_record_behind_a_complete_one_is_ignored_and_overwritten()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        UploadInfo created = await CreateAsync(store);
        int first = File.ReadAllBytes(RecordPath).Length;
        UploadInfo updated = await UpdateAsync(store, created, new byte[100]);
        byte[] both = File.ReadAllBytes(RecordPath);
        Assert.True(both.Length > first);
        for (int length = first; length < both.Length; length += 7)
        {
            File.WriteAllBytes(RecordPath, both[..length]);
            Assert.Equal(created.Version, (await GetAsync(store)).Version);
            Assert.Equal(created.Version, (await GetAsync(NewStore(Durability.ProcessCrash))).Version);

            UploadInfo again = await UpdateAsync(store, created, [1]);

            Assert.Equal(updated.Version, again.Version);
            Assert.Equal([1], (await GetAsync(NewStore(Durability.ProcessCrash))).Record.Data.ToArray());
            StoredRecord? record = RecordCodec.Decode(File.ReadAllBytes(RecordPath)).Record;
            Assert.Equal(File.ReadAllBytes(RecordPath).Length, record!.EndPosition);
        }

        Assert.Empty(Logs.Lines);
    }

    [Fact]
    public async Task Rest_of_an_incomplete_record_is_not_read_as_the_next_one()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        UploadInfo created = await CreateAsync(store);
        byte[] first = File.ReadAllBytes(RecordPath);
        await UpdateAsync(store, created, [1]);
        int length = File.ReadAllBytes(RecordPath).Length - first.Length;

        // The data of the client can contain anything, also what follows the next record in the file.
        byte[] forged = RecordCodec.Encode(RecordCodec.Decode(first).Record! with { WriteCount = 99 }).ToArray();
        File.WriteAllBytes(RecordPath, [.. first, .. new byte[length], .. forged]);
        Assert.Equal(created.Version, (await GetAsync(store)).Version);

        UploadInfo updated = await UpdateAsync(store, created, [2]);

        Assert.Equal(updated.Version, (await GetAsync(NewStore(Durability.ProcessCrash))).Version);
    }

    [Fact]
    public async Task Many_changes_replace_the_file_before_it_grows_too_long()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        UploadInfo info = await CreateAsync(store);
        long longest = 0;
        for (int i = 0; i < 60; i++)
        {
            info = await UpdateAsync(store, info, [(byte)i]);
            longest = Math.Max(longest, new FileInfo(RecordPath).Length);
            Assert.Equal((info.Version, (byte)i), ((await GetAsync(NewStore(Durability.ProcessCrash))).Version, (await GetAsync(store)).Record.Data.Span[0]));
        }

        Assert.InRange(longest, 2_000, 10_000);
    }

    [Fact]
    public async Task Record_of_another_upload_with_the_same_key_is_not_changed()
    {
        FileSystemUploadStore other = NewStore(Durability.ProcessCrash);
        UploadInfo? replacement = null;
        var files = new OpeningFiles
        {
            BeforeOpenWrite = path =>
            {
                if (path == RecordPath)
                {
                    // The lock is held, and the record has been read.
                    Assert.Equal(ChangeStatus.Succeeded, other.DeleteAsync(Key, null, None).AsTask().GetAwaiter().GetResult().Status);
                    replacement = other.CreateAsync(Key, new UploadRecord(), None).AsTask().GetAwaiter().GetResult().Info;
                }
            },
        };
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash, files);
        UploadInfo created = await CreateAsync(store);

        UpdateResult result = await store.UpdateAsync(Key, created.Version, new UploadRecord { Data = new byte[1] }, None);

        Assert.Equal(ChangeStatus.NotFound, result.Status);
        Assert.Equal(replacement!.Version, (await GetAsync(NewStore(Durability.ProcessCrash))).Version);
    }

    [Fact]
    public async Task Record_of_an_earlier_format_keeps_its_format()
    {
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash);
        UploadInfo created = await CreateAsync(store);
        string line = File.ReadAllText(RecordPath).Replace("\"format\":3", "\"format\":1", StringComparison.Ordinal);
        string body = line[..line.IndexOf(",\"check\"", StringComparison.Ordinal)];
        string check = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)))[..16];
        string earlier = $"{body},\"check\":\"{check}\"}}\n";
        File.WriteAllText(RecordPath, earlier);
        Assert.Equal(created.Version, (await GetAsync(store)).Version);

        UploadInfo updated = await UpdateAsync(store, await UpdateAsync(store, created, []), []);

        // A process with an earlier build may still be running.
        Assert.Equal(updated.Version, (await GetAsync(NewStore(Durability.ProcessCrash))).Version);
        Assert.StartsWith("{\"format\":1,", File.ReadAllText(RecordPath), StringComparison.Ordinal);
        Assert.Single(File.ReadAllLines(RecordPath));
    }

    [Fact]
    public async Task Record_that_survives_a_power_loss_is_replaced()
    {
        FileSystemUploadStore store = NewStore(Durability.PowerLoss);
        UploadInfo created = await CreateAsync(store);
        await UpdateAsync(store, created, []);
        Assert.StartsWith("{\"format\":1,", Assert.Single(File.ReadAllLines(RecordPath)), StringComparison.Ordinal);
    }

    private static async Task<UploadInfo> UpdateAsync(FileSystemUploadStore store, UploadInfo before, byte[] data)
    {
        UpdateResult result = await store.UpdateAsync(Key, before.Version, before.Record with { Data = data }, None);
        Assert.Equal(ChangeStatus.Succeeded, result.Status);
        return result.Info!;
    }

    /// <summary>Calls back before a file is opened for writing.</summary>
    private sealed class OpeningFiles : DelegatingFileLayer
    {
        public required Action<string> BeforeOpenWrite { get; init; }

        public override OpenFile OpenWrite(string path)
        {
            BeforeOpenWrite(path);
            return base.OpenWrite(path);
        }
    }
}
