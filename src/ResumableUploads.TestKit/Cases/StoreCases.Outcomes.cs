using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    [Case]
    public async Task Law7_an_outcome_of_every_byte_value_comes_back()
    {
        byte[] outcome = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        await CreateAsync();
        Check.Null(await OutcomeAsync());
        await Store.PutOutcomeAsync(Key, outcome, Token);
        Check.Equal(outcome, await OutcomeAsync());
    }

    [Case]
    public async Task Law7_an_outcome_of_1_MiB_comes_back()
    {
        await CreateAsync();
        await Store.PutOutcomeAsync(Key, Bytes(1024 * 1024), Token);
        Check.Equal(Bytes(1024 * 1024), await OutcomeAsync());
    }

    [Case]
    public async Task Law7_an_outcome_is_what_it_was_at_the_call_also_when_the_caller_uses_the_memory_again()
    {
        byte[] outcome = Bytes(100);
        await CreateAsync();
        await Store.PutOutcomeAsync(Key, outcome, Token);
        outcome.AsSpan().Clear();
        Check.Equal(Bytes(100), await OutcomeAsync());
    }

    [Case]
    public async Task An_outcome_replaces_the_one_before()
    {
        await CreateAsync();
        await Store.PutOutcomeAsync(Key, Bytes(100, 1), Token);
        await Store.PutOutcomeAsync(Key, Bytes(10, 2), Token);
        Check.Equal(Bytes(10, 2), await OutcomeAsync());
    }

    [Case]
    public async Task An_outcome_does_not_change_the_version()
    {
        UploadInfo info = await CreateAsync();
        await Store.PutOutcomeAsync(Key, Bytes(10), Token);
        Check.Equal(info.Version, (await GetAsync()).Version);
        Check.Equal(ChangeStatus.Done, (await Store.UpdateAsync(Key, info.Version, info.Record, Token)).Status);
    }

    [Case]
    public async Task An_outcome_survives_appends_and_updates()
    {
        await CreateAsync();
        await Store.PutOutcomeAsync(Key, Bytes(10), Token);
        await AppendAsync(0, Bytes(20, 2));
        await UpdateStateAsync(UploadState.Received);
        await UpdateStateAsync(UploadState.Completed);
        Check.Equal(Bytes(10), await OutcomeAsync());
        Check.Equal(Bytes(20, 2), await ContentAsync());
    }

    [Case]
    public async Task An_outcome_is_gone_with_its_upload_also_when_the_key_is_created_anew()
    {
        await CreateAsync();
        await Store.PutOutcomeAsync(Key, Bytes(10), Token);
        await Store.DeleteAsync(Key, null, Token);
        Check.Null(await OutcomeAsync());
        await CreateAsync();
        Check.Null(await OutcomeAsync());
    }

    [Case]
    public async Task An_outcome_of_what_is_not_there_is_ignored()
    {
        await Store.PutOutcomeAsync(Key, Bytes(10), Token);
        Check.Null(await OutcomeAsync());
        Check.Null(await Store.GetAsync(Key, Token));
        await CreateAsync();
        Check.Null(await OutcomeAsync());
    }

    private async Task<byte[]?> OutcomeAsync() => (await Store.GetOutcomeAsync(Key, Token))?.ToArray();
}
