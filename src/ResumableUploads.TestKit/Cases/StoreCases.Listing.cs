using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    [Case]
    public async Task A_listing_gives_every_upload_once_with_what_a_get_gives()
    {
        await CreateManyAsync();
        int count = 0;
        HashSet<UploadKey> seen = [];
        await foreach (UploadInfo info in Store.ListAsync(new UploadQuery(), Token))
        {
            count++;
            Check.True(seen.Add(info.Key));
            UploadInfo read = await GetAsync(info.Key);
            Check.Equal((read.Version, read.Offset, read.State), (info.Version, info.Offset, info.State));
            Check.Equal(read.Record.Data.ToArray(), info.Record.Data.ToArray());
            Check.Equal(read.LastChanged, info.LastChanged);
        }

        Check.Equal(15, count);
    }

    [Case]
    public async Task A_listing_of_one_owner_gives_nobody_elses()
    {
        await CreateManyAsync();
        List<UploadKey> listed = await ListAsync(new UploadQuery { Owner = "b" });
        Check.Equal(5, listed.Count);
        Check.All(listed, key => Check.Equal("b", key.Owner));
        Check.Empty(await ListAsync(new UploadQuery { Owner = "nobody" }));
    }

    [Case(null)]
    [Case("b")]
    public async Task A_listing_goes_on_after_a_key_without_gap_or_repeat(string? owner)
    {
        await CreateManyAsync();
        var query = new UploadQuery { Owner = owner };
        List<UploadKey> all = await ListAsync(query);
        foreach ((int index, UploadKey key) in all.Index())
        {
            Check.Equal(all[(index + 1)..], await ListAsync(query with { After = key }));
        }
    }

    [Case]
    public async Task A_listing_goes_on_after_a_key_that_has_been_deleted()
    {
        await CreateManyAsync();
        List<UploadKey> all = await ListAsync();
        await Store.DeleteAsync(all[7], null, Token);
        Check.Equal(all[8..], await ListAsync(new UploadQuery { After = all[7] }));
    }

    [Case]
    public async Task A_listing_goes_on_while_what_it_gives_is_deleted()
    {
        await CreateManyAsync();
        int count = 0;
        await foreach (UploadInfo info in Store.ListAsync(new UploadQuery(), Token))
        {
            count++;
            Check.Equal(ChangeStatus.Done, (await Store.DeleteAsync(info.Key, info.Version, Token)).Status);
        }

        Check.Equal(15, count);
        Check.Empty(await ListAsync());
    }

    [Case]
    public async Task A_listing_of_what_has_expired_gives_the_upload_whose_time_is_the_one_asked_for()
    {
        DateTimeOffset now = Time.GetUtcNow();
        UploadKey before = new("o", "before");
        UploadKey exact = new("o", "exact");
        await CreateAsync(new("o", "never"));
        await CreateAsync(before, new UploadRecord { AbsoluteExpiration = now.AddSeconds(-1) });
        await CreateAsync(exact, new UploadRecord { AbsoluteExpiration = now });
        await CreateAsync(new("o", "after"), new UploadRecord { AbsoluteExpiration = now.AddTicks(1) });
        await CreateAsync(new("p", "other"), new UploadRecord { AbsoluteExpiration = now.AddSeconds(-1) });

        List<UploadKey> listed = await ListAsync(new UploadQuery { Owner = "o", ExpiredAt = now });
        Check.Equal([before, exact], listed.OrderBy(key => key.Id, StringComparer.Ordinal));
    }

    [Case]
    public async Task A_sliding_expiration_starts_again_with_every_append_and_update()
    {
        TimeSpan span = TimeSpan.FromHours(1);
        UploadInfo info = await CreateAsync(record: new UploadRecord { SlidingExpiration = span });
        CheckExpires(span, info);

        Time.Advance(TimeSpan.FromMinutes(50));
        Check.True((await GetAsync()).Expires < Time.GetUtcNow() + span);
        AppendResult append = await AppendAsync(0, Bytes(10));
        CheckExpires(span, await GetAsync());

        Time.Advance(TimeSpan.FromMinutes(50));
        UpdateResult update = await Store.UpdateAsync(Key, append.Version!, info.Record, Token);
        CheckExpires(span, update.Info!);
        CheckExpires(span, await GetAsync());

        Time.Advance(TimeSpan.FromMinutes(50));
        Check.Empty(await ListAsync(new UploadQuery { ExpiredAt = Time.GetUtcNow() }));
        Time.Advance(TimeSpan.FromMinutes(11));
        Check.Equal([Key], await ListAsync(new UploadQuery { ExpiredAt = Time.GetUtcNow() }));
    }

    [Case]
    public async Task An_absolute_expiration_holds_whatever_happens()
    {
        DateTimeOffset end = Time.GetUtcNow().AddHours(1);
        await CreateAsync(record: new UploadRecord { SlidingExpiration = TimeSpan.FromHours(2), AbsoluteExpiration = end });
        Time.Advance(TimeSpan.FromMinutes(50));
        await AppendAsync(0, Bytes(10));
        Check.Equal(end, (await GetAsync()).Expires);
    }

    private void CheckExpires(TimeSpan span, UploadInfo info) =>
        Check.Equal(Time.GetUtcNow() + span, info.Expires!.Value, TimeSpan.FromSeconds(1));

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
