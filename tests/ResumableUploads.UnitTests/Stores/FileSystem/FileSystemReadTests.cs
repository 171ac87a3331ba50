using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

/// <summary>The file operations of a status request, and the cache of records.</summary>
public sealed class FileSystemReadTests : FileSystemStoreTest
{
    private readonly FileLayer _layer = FileLayer.Default;

    private string FilePath => Path.Combine(Root, "file");

    [Fact]
    public void IsUnchanged_for_the_same_file_returns_true()
    {
        File.WriteAllBytes(FilePath, Bytes(300));
        using FileSnapshot snapshot = _layer.ReadSnapshot(FilePath, 1000)!;
        Assert.Equal(Bytes(300), snapshot.Content.ToArray());
        Assert.True(_layer.IsUnchanged(snapshot));
    }

    [Fact]
    public void IsUnchanged_for_a_replaced_file_returns_false()
    {
        File.WriteAllBytes(FilePath, Bytes(300));
        using FileSnapshot snapshot = _layer.ReadSnapshot(FilePath, 1000)!;
        File.WriteAllBytes(FilePath + ".tmp", Bytes(300, seed: 2));
        File.Move(FilePath + ".tmp", FilePath, overwrite: true);
        Assert.False(_layer.IsUnchanged(snapshot));
    }

    [Fact]
    public void IsUnchanged_for_a_longer_file_with_the_same_beginning_returns_false()
    {
        File.WriteAllBytes(FilePath, Bytes(300));
        using FileSnapshot snapshot = _layer.ReadSnapshot(FilePath, 1000)!;
        File.WriteAllBytes(FilePath + ".tmp", [.. Bytes(300), 1]);
        File.Move(FilePath + ".tmp", FilePath, overwrite: true);
        Assert.False(_layer.IsUnchanged(snapshot));
    }

    [Fact]
    public void IsUnchanged_for_a_deleted_file_returns_false()
    {
        File.WriteAllBytes(FilePath, Bytes(300));
        using FileSnapshot snapshot = _layer.ReadSnapshot(FilePath, 1000)!;
        File.Delete(FilePath);
        Assert.False(_layer.IsUnchanged(snapshot));
    }

    [Fact]
    public void IsUnchanged_for_a_new_file_with_the_same_content_returns_true()
    {
        File.WriteAllBytes(FilePath, Bytes(300));
        using FileSnapshot snapshot = _layer.ReadSnapshot(FilePath, 1000)!;
        File.WriteAllBytes(FilePath + ".tmp", Bytes(300));
        File.Move(FilePath + ".tmp", FilePath, overwrite: true);
        Assert.True(_layer.IsUnchanged(snapshot));
    }

    [Fact]
    public void Read_methods_for_a_directory_or_missing_file_return_null()
    {
        Directory.CreateDirectory(FilePath);
        Assert.Null(_layer.ReadSnapshot(FilePath, 1000));
        Assert.Null(_layer.ReadFile(FilePath, 1000));
        Assert.Null(_layer.Stat(FilePath));
        Assert.Null(_layer.ReadSnapshot(Path.Combine(FilePath, "missing"), 1000));
        File.WriteAllBytes(Path.Combine(FilePath, "file"), []);
        Assert.Null(_layer.ReadFile(Path.Combine(FilePath, "file", "below"), 1000));
        Assert.Null(_layer.Stat(Path.Combine(FilePath, "file", "below")));
    }

    [Fact]
    public void ReadFile_returns_at_most_one_byte_more_than_the_maximum()
    {
        File.WriteAllBytes(FilePath, Bytes(300));
        Assert.Equal(Bytes(300), _layer.ReadFile(FilePath, 300));
        Assert.Equal(Bytes(300)[..101], _layer.ReadFile(FilePath, 100));
    }

    [Theory]
    [InlineData(100, 100)]
    [InlineData(300, 300)]
    [InlineData(400, 300)]
    public void ReadPrefix_fills_the_buffer_as_far_as_the_file_goes(int length, int count)
    {
        File.WriteAllBytes(FilePath, Bytes(300));
        byte[] buffer = new byte[length];
        Assert.Equal(count, _layer.ReadPrefix(FilePath, buffer));
        Assert.Equal(Bytes(300)[..count], buffer[..count]);
        Assert.Null(_layer.ReadPrefix(FilePath + ".missing", buffer));
    }

    [Fact]
    public void Stat_returns_the_same_length_and_time_as_the_framework()
    {
        File.WriteAllBytes(FilePath, Bytes(300));
        FileStat stat = _layer.Stat(FilePath)!.Value;
        Assert.Equal((300, new FileInfo(FilePath).LastWriteTimeUtc), (stat.Length, stat.LastWriteTime));
        var before1970 = new DateTime(1969, 12, 31, 23, 59, 58, DateTimeKind.Utc).AddTicks(1234567);
        File.SetLastWriteTimeUtc(FilePath, before1970);
        Assert.Equal(before1970, _layer.Stat(FilePath)!.Value.LastWriteTime);
    }

    [Fact]
    public async Task Get_reads_again_when_the_record_is_replaced_meanwhile()
    {
        var files = new ActionAfterStat();
        FileSystemUploadStore store = NewStore(Durability.ProcessCrash, files);
        UploadInfo before = await CreateAsync(store);
        await AppendAsync(store, 0, Bytes(100));
        UploadInfo seen = await GetAsync(store);
        UpdateResult? update = null;
        files.OnStat = () => update = NewStore(Durability.ProcessCrash)
            .UpdateAsync(Key, seen.Version, before.Record with { Length = 777 }, None).AsTask().GetAwaiter().GetResult();

        UploadInfo info = await GetAsync(store);
        Assert.Equal(ChangeStatus.Succeeded, update!.Value.Status);
        Assert.Equal(777, info.Length);
        Assert.Equal(update.Value.Info!.Version, info.Version);
    }

    [Fact]
    public void RecordCache_does_not_return_a_cached_record_for_a_damaged_file()
    {
        byte[] intact = RecordCodec.Encode(new StoredRecord
        {
            Nonce = NonceGenerator.Next(), Record = new UploadRecord(), LastUpdated = Time.GetUtcNow(), Durability = Durability.ProcessCrash, CreationBootId = "",
        }).ToArray();
        byte[] damaged = [.. intact];
        damaged[^10] ^= 1;
        var cache = new RecordCache();
        StoredRecord record = cache.Decode(intact).Record!;
        Assert.Same(record, cache.Decode([.. intact]).Record);
        Assert.Null(cache.Decode(damaged).Record);
        Assert.NotNull(cache.Decode(damaged).DamageReason);
        Assert.Same(record, cache.Decode(intact).Record);
    }

    /// <summary>Runs an action once, after a Stat call.</summary>
    private sealed class ActionAfterStat : DelegatingFileLayer
    {
        private Action? _onStat;

        public Action OnStat
        {
            set => _onStat = value;
        }

        public override FileStat? Stat(string path)
        {
            FileStat? stat = base.Stat(path);
            Interlocked.Exchange(ref _onStat, null)?.Invoke();
            return stat;
        }
    }
}
