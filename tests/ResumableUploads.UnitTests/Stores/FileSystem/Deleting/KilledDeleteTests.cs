using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Deleting;

/// <summary>
/// Another process deletes an upload and creates one with its key, immediately before a conditional deletion or a replacement renames the directory. The process
/// is killed after the rename.
/// </summary>
public sealed class KilledDeleteTests : FileSystemStoreTest
{
    private static readonly UploadKey OtherKey = new("owner", "upload-2");

    private readonly FileSystemUploadStore _other;

    public KilledDeleteTests()
    {
        Time.SetUtcNow(TimeProvider.System.GetUtcNow());
        _other = NewStore(files: new FaultyFiles());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task New_upload_with_the_key_of_a_deleted_one_is_moved_back(bool isReplacement)
    {
        UploadInfo expected = await CreateAsync(_other);
        UploadInfo target = await CreateAsync(_other, OtherKey);
        await DieAfterTheRenameAsync(
            store => isReplacement
                ? store.ReplaceAsync(OtherKey, target.Version, Key, expected.Version, None).AsTask()
                : store.DeleteAsync(Key, expected.Version, None).AsTask(),
            reuse: true);
        Assert.Null(await _other.GetAsync(Key, None));

        await _other.CleanUpAsync(None);

        await ShouldHaveNewUploadAsync();
        Assert.Empty(Halves(StoreRoot));
        Assert.Equal(target.Version, (await _other.GetAsync(OtherKey, None))?.Version);
    }

    [Fact]
    public async Task New_upload_is_kept_after_an_hour()
    {
        UploadInfo expected = await CreateAsync(_other);
        await DieAfterTheRenameAsync(store => store.DeleteAsync(Key, expected.Version, None).AsTask(), reuse: true);
        Time.Advance(TimeSpan.FromHours(2));

        await _other.CleanUpAsync(None);

        await ShouldHaveNewUploadAsync();
    }

    [Fact]
    public async Task New_upload_is_moved_to_quarantine_if_there_is_yet_another_one()
    {
        UploadInfo expected = await CreateAsync(_other);
        await DieAfterTheRenameAsync(store => store.DeleteAsync(Key, expected.Version, None).AsTask(), reuse: true);
        UploadInfo latest = await CreateAsync(_other);

        await _other.CleanUpAsync(None);

        Assert.Equal(latest.Version, (await GetAsync(_other)).Version);
        Assert.Empty(Halves(StoreRoot));
        string kept = Assert.Single(Directory.GetDirectories(Path.Combine(StoreRoot, "quarantine")));
        Assert.Equal(Bytes(20), File.ReadAllBytes(Directory.GetFiles(kept, "*.data").Single()));
    }

    [Theory]
    [InlineData(59, false)]
    [InlineData(61, true)]
    public async Task Expected_upload_is_deleted_after_an_hour(int minutes, bool isDeleted)
    {
        UploadInfo expected = await CreateAsync(_other);
        await DieAfterTheRenameAsync(store => store.DeleteAsync(Key, expected.Version, None).AsTask(), reuse: false);
        Assert.Null(await _other.GetAsync(Key, None));
        Time.Advance(TimeSpan.FromMinutes(minutes));

        await _other.CleanUpAsync(None);

        Assert.Equal(isDeleted, !Halves(StoreRoot).Any());
        Assert.Null(await _other.GetAsync(Key, None));
    }

    [Fact]
    public async Task Rest_of_the_expected_upload_is_deleted_after_an_hour()
    {
        UploadInfo expected = await CreateAsync(_other);
        await DieAfterTheRenameAsync(store => store.DeleteAsync(Key, expected.Version, None).AsTask(), reuse: false);
        string rest = Assert.Single(Halves(StoreRoot));
        File.Delete(Path.Combine(rest, "record.json"));
        Directory.SetLastWriteTimeUtc(rest, Time.GetUtcNow().UtcDateTime);
        await _other.CleanUpAsync(None);
        Assert.True(Directory.Exists(rest));
        Time.Advance(TimeSpan.FromMinutes(61));

        await _other.CleanUpAsync(None);

        Assert.Empty(Halves(StoreRoot));
    }

    [Fact]
    public async Task Deletion_that_finds_an_earlier_mistake_returns_Busy_and_keeps_both_uploads()
    {
        UploadInfo expected = await CreateAsync(_other);
        string directory = Path.Combine(StoreRoot, "temp", $"owner.upload-1.{expected.Version[..expected.Version.LastIndexOf('-')]}");
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "file"), "");

        Assert.Equal(ChangeStatus.Busy, (await _other.DeleteAsync(Key, expected.Version, None)).Status);

        Assert.Equal(expected.Version, (await GetAsync(_other)).Version);
        Assert.True(File.Exists(Path.Combine(directory, "file")));
    }

    private async Task DieAfterTheRenameAsync(Func<FileSystemUploadStore, Task> call, bool reuse)
    {
        Files.Before = (step, path) =>
        {
            if (step == "rename-directory" && reuse)
            {
                ReuseAsync().GetAwaiter().GetResult();
            }
        };
        Files.After = static (step, path) =>
        {
            if (step == "rename-directory")
            {
                throw new ProcessDied();
            }
        };
        await Assert.ThrowsAsync<ProcessDied>(() => call(NewStore()));
    }

    private async Task ReuseAsync()
    {
        Assert.Equal(ChangeStatus.Succeeded, (await _other.DeleteAsync(Key, null, CancellationToken.None)).Status);
        await CreateAsync(_other);
        await AppendAsync(_other, 0, Bytes(20));
    }

    private async Task ShouldHaveNewUploadAsync()
    {
        Assert.Equal(20, (await GetAsync(_other)).Offset);
        Assert.Equal(Bytes(20), await ReadAsync(_other));
    }
}
