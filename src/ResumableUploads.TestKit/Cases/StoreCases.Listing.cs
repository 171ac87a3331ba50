using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    [Case]
    public async Task List_returns_every_upload_once_with_the_same_info_as_get()
    {
        await CreateManyAsync();
        int count = 0;
        HashSet<UploadKey> seen = [];
        await foreach (UploadInfo info in Store.ListAsync(new UploadQuery(), Token))
        {
            count++;
            CaseAssert.True(seen.Add(info.Key));
            UploadInfo read = await GetAsync(info.Key);
            CaseAssert.Equal((read.Version, read.Offset, read.State), (info.Version, info.Offset, info.State));
            CaseAssert.Equal(read.Record.Data.ToArray(), info.Record.Data.ToArray());
            CaseAssert.Equal(read.LastModified, info.LastModified);
        }

        CaseAssert.Equal(15, count);
    }

    [Case]
    public async Task List_by_owner_returns_only_uploads_of_that_owner()
    {
        await CreateManyAsync();
        List<UploadKey> listed = await ListAsync(new UploadQuery { Owner = "b" });
        CaseAssert.Equal(5, listed.Count);
        CaseAssert.All(listed, key => CaseAssert.Equal("b", key.Owner));
        CaseAssert.Empty(await ListAsync(new UploadQuery { Owner = "unknown" }));
    }

    [Case(null)]
    [Case("b")]
    public async Task List_after_a_key_continues_without_gap_or_repeat(string? owner)
    {
        await CreateManyAsync();
        var query = new UploadQuery { Owner = owner };
        List<UploadKey> all = await ListAsync(query);
        foreach ((int index, UploadKey key) in all.Index())
        {
            CaseAssert.Equal(all[(index + 1)..], await ListAsync(query with { StartAfter = key }));
        }
    }

    [Case]
    public async Task List_after_a_deleted_key_continues()
    {
        await CreateManyAsync();
        List<UploadKey> all = await ListAsync();
        await Store.DeleteAsync(all[7], null, Token);
        CaseAssert.Equal(all[8..], await ListAsync(new UploadQuery { StartAfter = all[7] }));
    }

    [Case]
    public async Task List_continues_while_returned_uploads_are_deleted()
    {
        await CreateManyAsync();
        int count = 0;
        await foreach (UploadInfo info in Store.ListAsync(new UploadQuery(), Token))
        {
            count++;
            CaseAssert.Equal(ChangeStatus.Succeeded, (await Store.DeleteAsync(info.Key, info.Version, Token)).Status);
        }

        CaseAssert.Equal(15, count);
        CaseAssert.Empty(await ListAsync());
    }

    [Case]
    public async Task List_of_expired_uploads_includes_the_exact_expiration_time()
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
        CheckExpires(span, info);

        Time.Advance(TimeSpan.FromMinutes(50));
        CaseAssert.True((await GetAsync()).Expires < Time.GetUtcNow() + span);
        AppendResult append = await AppendAsync(0, Bytes(10));
        CheckExpires(span, await GetAsync());

        Time.Advance(TimeSpan.FromMinutes(50));
        UpdateResult update = await Store.UpdateAsync(Key, append.Version!, info.Record, Token);
        CheckExpires(span, update.Info!);
        CheckExpires(span, await GetAsync());

        Time.Advance(TimeSpan.FromMinutes(50));
        CaseAssert.Empty(await ListAsync(new UploadQuery { ExpiredAsOf = Time.GetUtcNow() }));
        Time.Advance(TimeSpan.FromMinutes(11));
        CaseAssert.Equal([Key], await ListAsync(new UploadQuery { ExpiredAsOf = Time.GetUtcNow() }));
    }

    [Case]
    public async Task Absolute_expiration_never_changes()
    {
        DateTimeOffset end = Time.GetUtcNow().AddHours(1);
        await CreateAsync(record: new UploadRecord { SlidingExpiration = TimeSpan.FromHours(2), AbsoluteExpiration = end });
        Time.Advance(TimeSpan.FromMinutes(50));
        await AppendAsync(0, Bytes(10));
        CaseAssert.Equal(end, (await GetAsync()).Expires);
    }

    private void CheckExpires(TimeSpan span, UploadInfo info) =>
        CaseAssert.Equal(Time.GetUtcNow() + span, info.Expires!.Value, TimeSpan.FromSeconds(1));

    private async Task CreateManyAsync()
    {
        foreach (string owner in new[] { "c", "a", "b" })
        {
            foreach (string id in new[] { "2", "10", "1", "a-b", "a" })
            {
                await CreateAsync(new(owner, id), new UploadRecord { Data = new[] { (byte)owner[0], (byte)id[0] } });
            }
        }

        await AppendAsync(0, Bytes(10), new("b", "1"));
    }
}
