using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Stores.FileSystem.Format;
using ResumableUploads.Stores.FileSystem.IO;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem;

/// <summary>What a status is read from: the record, the length of the data, and whether both belong together.</summary>
public sealed class FileSystemReadTests : FileSystemStoreTest
{
    private readonly FileLayer _layer = FileLayer.Default;

    private string Place => Path.Combine(Root, "file");

    [Fact]
    public void A_held_file_is_at_its_path_as_long_as_nothing_takes_its_place()
    {
        File.WriteAllBytes(Place, Bytes(300));
        using FileSnapshot held = _layer.ReadSnapshot(Place, 1000)!;
        Assert.Equal(Bytes(300), held.Content);
        Assert.True(_layer.IsUnchanged(held));
    }

    [Fact]
    public void A_held_file_is_not_at_its_path_when_another_has_been_renamed_onto_it()
    {
        File.WriteAllBytes(Place, Bytes(300));
        using FileSnapshot held = _layer.ReadSnapshot(Place, 1000)!;
        File.WriteAllBytes(Place + ".tmp", Bytes(300, seed: 2));
        File.Move(Place + ".tmp", Place, overwrite: true);
        Assert.False(_layer.IsUnchanged(held));
    }

    [Fact]
    public void A_held_file_is_not_at_its_path_when_a_longer_one_begins_with_the_same_bytes()
    {
        File.WriteAllBytes(Place, Bytes(300));
        using FileSnapshot held = _layer.ReadSnapshot(Place, 1000)!;
        File.WriteAllBytes(Place + ".tmp", [.. Bytes(300), 1]);
        File.Move(Place + ".tmp", Place, overwrite: true);
        Assert.False(_layer.IsUnchanged(held));
    }

    [Fact]
    public void A_held_file_is_not_at_its_path_when_it_was_deleted()
    {
        File.WriteAllBytes(Place, Bytes(300));
        using FileSnapshot held = _layer.ReadSnapshot(Place, 1000)!;
        File.Delete(Place);
        Assert.False(_layer.IsUnchanged(held));
    }

    [Fact]
    public void A_file_that_is_as_the_held_one_counts_as_the_same()
    {
        File.WriteAllBytes(Place, Bytes(300));
        using FileSnapshot held = _layer.ReadSnapshot(Place, 1000)!;
        File.WriteAllBytes(Place + ".tmp", Bytes(300));
        File.Move(Place + ".tmp", Place, overwrite: true);
        Assert.True(_layer.IsUnchanged(held));
    }

    [Fact]
    public void What_is_no_file_cannot_be_held_or_read()
    {
        Directory.CreateDirectory(Place);
        Assert.Null(_layer.ReadSnapshot(Place, 1000));
        Assert.Null(_layer.ReadFile(Place, 1000));
        Assert.Null(_layer.Stat(Place));
        Assert.Null(_layer.ReadSnapshot(Path.Combine(Place, "missing"), 1000));
        File.WriteAllBytes(Path.Combine(Place, "file"), []);
        Assert.Null(_layer.ReadFile(Path.Combine(Place, "file", "below"), 1000));
        Assert.Null(_layer.Stat(Path.Combine(Place, "file", "below")));
    }

    [Fact]
    public void A_file_is_cut_one_byte_behind_the_bound()
    {
        File.WriteAllBytes(Place, Bytes(300));
        Assert.Equal(Bytes(300), _layer.ReadFile(Place, 300));
        Assert.Equal(Bytes(300)[..101], _layer.ReadFile(Place, 100));
    }

    [Theory]
    [InlineData(100, 100)]
    [InlineData(300, 300)]
    [InlineData(400, 300)]
    public void The_start_of_a_file_is_as_long_as_there_are_room_and_bytes(int room, int count)
    {
        File.WriteAllBytes(Place, Bytes(300));
        byte[] buffer = new byte[room];
        Assert.Equal(count, _layer.ReadPrefix(Place, buffer));
        Assert.Equal(Bytes(300)[..count], buffer[..count]);
        Assert.Null(_layer.ReadPrefix(Place + ".missing", buffer));
    }

    [Fact]
    public void Length_and_time_are_those_that_the_framework_tells()
    {
        File.WriteAllBytes(Place, Bytes(300));
        var stat = _layer.Stat(Place)!.Value;
        Assert.Equal((300, new FileInfo(Place).LastWriteTimeUtc), (stat.Length, stat.LastWriteTime));
        var before1970 = new DateTime(1969, 12, 31, 23, 59, 58, DateTimeKind.Utc).AddTicks(1234567);
        File.SetLastWriteTimeUtc(Place, before1970);
        Assert.Equal(before1970, _layer.Stat(Place)!.Value.LastWriteTime);
    }

    [Fact]
    public async Task A_record_that_is_replaced_while_the_length_is_looked_at_is_read_again()
    {
        var files = new BetweenReads();
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
    public void A_record_that_was_understood_before_is_not_taken_for_a_damaged_one()
    {
        byte[] whole = RecordCodec.Encode(new StoredRecord
        {
            Nonce = NonceGenerator.Next(), Record = new UploadRecord(), LastUpdated = Time.GetUtcNow(), Durability = Durability.ProcessCrash, CreationBootId = "",
        }).ToArray();
        byte[] damaged = [.. whole];
        damaged[^10] ^= 1;
        var recent = new RecordCache();
        StoredRecord record = recent.Decode(whole).Record!;
        Assert.Same(record, recent.Decode([.. whole]).Record);
        Assert.Null(recent.Decode(damaged).Record);
        Assert.NotNull(recent.Decode(damaged).DamageReason);
        Assert.Same(record, recent.Decode(whole).Record);
    }

    /// <summary>Does something once, between the look at a file and what the store makes of it.</summary>
    private sealed class BetweenReads : DelegatingFileLayer
    {
        private Action? _onStat;

        public Action OnStat
        {
            set => _onStat = value;
        }

        public override FileStat? Stat(string path)
        {
            FileStat? seen = base.Stat(path);
            Interlocked.Exchange(ref _onStat, null)?.Invoke();
            return seen;
        }
    }
}
