using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases for listing uploads: filters, continuation and expiration.</content>
internal sealed partial class StoreCases
{
    private static readonly string[] OwnerNames = ["c", "a", "b"];

    // The order of these ids differs between numeric and ordinal comparison.
    private static readonly string[] UploadIds = ["2", "10", "1", "a-b", "a"];

    [Case]
    public async Task List_returns_every_upload_once_with_the_same_info_as_get()
    {
        await CreateUploadsOfThreeOwnersAsync();
        int count = 0;
        HashSet<UploadKey> seen = [];
        await foreach (UploadInfo info in Store.ListAsync(new UploadQuery(), Token))
        {
            count++;
            CaseAssert.True(seen.Add(info.Key));
            UploadInfo current = await GetAsync(info.Key);
            CaseAssert.Equal((current.Version, current.Offset, current.State), (info.Version, info.Offset, info.State));
            CaseAssert.Equal(current.Record.Data.ToArray(), info.Record.Data.ToArray());
            CaseAssert.Equal(current.LastModified, info.LastModified);
        }

        CaseAssert.Equal(OwnerNames.Length * UploadIds.Length, count);
    }

    [Case]
    public async Task List_by_owner_returns_only_uploads_of_that_owner()
    {
        await CreateUploadsOfThreeOwnersAsync();
        List<UploadKey> listed = await ListAsync(new UploadQuery { Owner = "b" });
        CaseAssert.Equal(UploadIds.Length, listed.Count);
        CaseAssert.All(listed, key => CaseAssert.Equal("b", key.Owner));
        CaseAssert.Empty(await ListAsync(new UploadQuery { Owner = "unknown" }));
    }

    [Case(null)]
    [Case("b")]
    public async Task List_with_StartAfter_returns_exactly_the_following_uploads(string? owner)
    {
        await CreateUploadsOfThreeOwnersAsync();
        var query = new UploadQuery { Owner = owner };
        List<UploadKey> all = await ListAsync(query);
        foreach ((int index, UploadKey key) in all.Index())
        {
            CaseAssert.Equal(all[(index + 1)..], await ListAsync(query with { StartAfter = key }));
        }
    }

    [Case]
    public async Task List_with_StartAfter_of_deleted_upload_returns_the_following_uploads()
    {
        await CreateUploadsOfThreeOwnersAsync();
        List<UploadKey> all = await ListAsync();
        await Store.DeleteAsync(all[7], null, Token);
        CaseAssert.Equal(all[8..], await ListAsync(new UploadQuery { StartAfter = all[7] }));
    }

    [Case]
    public async Task List_continues_while_returned_uploads_are_deleted()
    {
        await CreateUploadsOfThreeOwnersAsync();
        int count = 0;
        await foreach (UploadInfo info in Store.ListAsync(new UploadQuery(), Token))
        {
            count++;
            CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(info.Key, info.Version, Token)).Status);
        }

        CaseAssert.Equal(OwnerNames.Length * UploadIds.Length, count);
        CaseAssert.Empty(await ListAsync());
    }

    [Case]
    public async Task List_with_ExpiredAsOf_includes_uploads_that_expire_at_that_time()
    {
        DateTimeOffset now = Time.GetUtcNow();
        UploadKey before = new("o", "before");
        UploadKey exact = new("o", "exact");
        await CreateAsync(new("o", "never"));
        await CreateAsync(before, new UploadRecord { AbsoluteExpiration = now.AddSeconds(-1) });
        await CreateAsync(exact, new UploadRecord { AbsoluteExpiration = now });
        await CreateAsync(new("o", "after"), new UploadRecord { AbsoluteExpiration = now.AddTicks(1) });
        await CreateAsync(new("p", "other"), new UploadRecord { AbsoluteExpiration = now.AddSeconds(-1) });

        List<UploadKey> listed = await ListAsync(new UploadQuery { Owner = "o", ExpiredAsOf = now });
        CaseAssert.Equal([before, exact], listed.OrderBy(key => key.Id, StringComparer.Ordinal));
    }

    [Case]
    public async Task Sliding_expiration_restarts_with_every_append_and_update()
    {
        TimeSpan span = TimeSpan.FromHours(1);
        UploadInfo info = await CreateAsync(record: new UploadRecord { SlidingExpiration = span });
        AssertExpiresIn(span, info);

        Time.Advance(TimeSpan.FromMinutes(50));
        CaseAssert.Equal(info.Expires, (await GetAsync()).Expires);
        AppendResult append = await AppendAsync(0, Bytes(10));
        AssertExpiresIn(span, await GetAsync());

        Time.Advance(TimeSpan.FromMinutes(50));
        UpdateResult update = await Store.UpdateAsync(Key, append.Version!, info.Record, Token);
        AssertExpiresIn(span, update.Info!);
        AssertExpiresIn(span, await GetAsync());

        DateTimeOffset updated = update.Info!.LastModified;
        CaseAssert.Empty(await ListAsync(new UploadQuery { ExpiredAsOf = updated.AddMinutes(50) }));
        CaseAssert.Equal([Key], await ListAsync(new UploadQuery { ExpiredAsOf = updated.AddMinutes(61) }));
    }

    [Case]
    public async Task Sliding_expiration_does_not_extend_past_absolute_expiration()
    {
        DateTimeOffset end = Now.AddHours(1);
        await CreateAsync(record: new UploadRecord { SlidingExpiration = TimeSpan.FromHours(2), AbsoluteExpiration = end });
        Time.Advance(TimeSpan.FromMinutes(50));
        await AppendAsync(0, Bytes(10));
        CaseAssert.Equal(end, (await GetAsync()).Expires);
    }

    private void AssertExpiresIn(TimeSpan remaining, UploadInfo info)
    {
        AssertIsNow(info.LastModified);
        CaseAssert.Equal(info.LastModified + remaining, info.Expires);
    }

    private async Task CreateUploadsOfThreeOwnersAsync()
    {
        foreach (string owner in OwnerNames)
        {
            foreach (string id in UploadIds)
            {
                await CreateAsync(new(owner, id), new UploadRecord { Data = new[] { (byte)owner[0], (byte)id[0] } });
            }
        }

        // One upload has content, so that not all offsets are 0.
        await AppendAsync(0, Bytes(10), new("b", "1"));
    }
}
