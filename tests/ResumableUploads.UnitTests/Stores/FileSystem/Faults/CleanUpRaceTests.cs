using Microsoft.Extensions.Logging;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.FileSystem;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Stores.FileSystem.Faults;

/// <summary>A clean-up finds the directory of an operation that has been running for hours, for example because the disk did not respond.</summary>
public sealed class CleanUpRaceTests : FileSystemStoreTest
{
    private static readonly UploadKey NewKey = new("owner", "upload-2");

    [Fact]
    public async Task Creation_during_a_clean_up_fails_or_is_complete()
    {
        Time.SetUtcNow(TimeProvider.System.GetUtcNow());
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore cleaner = NewStore(files: new InterruptedFiles());
        Files.Before = (step, path) =>
        {
            if (step == "rename-directory" && path == UploadDirectory)
            {
                Files.Before = null;
                Time.Advance(TimeSpan.FromHours(2));
                cleaner.CleanUpAsync(None).AsTask().GetAwaiter().GetResult();
            }
        };

        Exception? failure = await Record.ExceptionAsync(() => CreateAsync(store));

        Assert.Null(Files.Before);
        Assert.Equal(failure is null, await store.GetAsync(Key, None) is not null);
        Assert.False(Directory.Exists(UploadDirectory) && !Directory.EnumerateFiles(UploadDirectory, "*.data").Any());
        Assert.Empty(Halves(StoreRoot));
        await NewStore(files: new FaultyFiles()).CleanUpAsync(None);
        Assert.Empty(Directory.GetDirectories(Path.Combine(StoreRoot, "trash")));
        if (failure is not null)
        {
            await CreateAsync(store);
        }
    }

    [Fact]
    public async Task Clean_up_ignores_a_creation_that_ends_meanwhile()
    {
        FileSystemUploadStore store = NewStore();
        await store.CheckAsync(None);
        string creation = Path.Combine(StoreRoot, "temp", "0", "creation");
        Directory.CreateDirectory(creation);
        Directory.SetLastWriteTimeUtc(creation, Time.GetUtcNow().UtcDateTime - TimeSpan.FromHours(2));
        string place = Path.Combine(Root, "place");
        Files.Before = (step, path) =>
        {
            if (step is "rename-directory" or "delete-directory" && Directory.Exists(creation))
            {
                Directory.Move(creation, place);
            }
        };

        await store.CleanUpAsync(None);

        Assert.True(Directory.Exists(place));
        Assert.DoesNotContain(Logs.Lines, static line => line.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task Clean_up_keeps_a_replacement_that_runs_for_hours()
    {
        FileSystemUploadStore store = NewStore();
        FileSystemUploadStore cleaner = NewStore(files: new FaultyFiles());
        await CreateAsync(store);
        UploadInfo replacement = await CreateAsync(store, NewKey);
        bool isCleanedUp = false;
        Files.After = (step, path) =>
        {
            if (step == "rename-directory" && path.Contains("temp", StringComparison.Ordinal))
            {
                Time.Advance(TimeSpan.FromHours(3));
                cleaner.CleanUpAsync(None).AsTask().GetAwaiter().GetResult();
                isCleanedUp = true;
            }
        };

        UpdateResult result = await store.ReplaceAsync(Key, (await GetAsync(store)).Version, NewKey, replacement.Version, None);

        Assert.Equal((ChangeStatus.Succeeded, true), (result.Status, isCleanedUp));
        Assert.Equal(0, (await GetAsync(store)).Offset);
    }

    /// <summary>Deletes only the content of a directory. The creation continues before the rest.</summary>
    private sealed class InterruptedFiles : DelegatingFileLayer
    {
        public override void DeleteDirectory(string path, bool recursive)
        {
            foreach (string data in Directory.GetFiles(path, "*.data"))
            {
                File.Delete(data);
            }
        }
    }
}
