using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Cases;

namespace ResumableUploads.TestKit.Model;

/// <summary>Takes the steps of one history in a store and in the model, and compares them after each.</summary>
/// <param name="store">The store.</param>
/// <param name="reopen">Closes a store and opens another on its storage.</param>
/// <param name="owner">Whose uploads they are: a history sees no other.</param>
/// <param name="token">Ends it.</param>
internal sealed class HistoryRun(IUploadStore store, Func<IUploadStore, Task<IUploadStore>> reopen, string owner, CancellationToken token)
{
    private readonly UploadModel?[] _models = new UploadModel?[Step.Uploads];
    private readonly List<string>[] _versions = [.. Enumerable.Range(0, Step.Uploads).Select(static _ => new List<string> { "none" })];
    private readonly HashSet<string> _allVersions = [];

    /// <summary>The store at the end.</summary>
    public IUploadStore Store { get; private set; } = store;

    public async Task RunAsync(Step[] steps)
    {
        foreach ((int index, Step step) in steps.Index())
        {
            try
            {
                await TakeAsync(step);
                await CompareAsync(step.Upload);
            }
            catch (CheckException e)
            {
                throw new CheckException($"At step {index + 1} ({step}): {e.Message}");
            }
        }

        List<UploadKey> listed = [];
        await foreach (UploadInfo info in Store.ListAsync(new UploadQuery { Owner = owner }, token))
        {
            listed.Add(info.Key);
        }

        Check.Equal(
            Enumerable.Range(0, Step.Uploads).Where(i => _models[i] is not null).Select(KeyOf),
            listed.OrderBy(static key => key.Id, StringComparer.Ordinal));
        for (int i = 0; i < Step.Uploads; i++)
        {
            await CompareContentAsync(i);
            await Store.DeleteAsync(KeyOf(i), null, token);
        }
    }

    private UploadKey KeyOf(int upload) => new(owner, $"upload-{upload}");

    private Task TakeAsync(Step step) => step.Kind switch
    {
        StepKind.Create => CreateAsync(step),
        StepKind.Append => AppendAsync(step, AppendMode.KeepWhatCame, isWanted: true),
        StepKind.AppendCutShort => AppendAsync(step, AppendMode.KeepWhatCame, isWanted: true, missing: 1000),
        StepKind.AppendStaged => AppendAsync(step, AppendMode.AllOrNothing, isWanted: true),
        StepKind.AppendUnwanted => AppendAsync(step, AppendMode.AllOrNothing, isWanted: false),
        StepKind.Update => UpdateAsync(step, UploadState.Receiving),
        StepKind.Receive => UpdateAsync(step, UploadState.Received),
        StepKind.Complete => UpdateAsync(step, UploadState.Completed),
        StepKind.PutOutcome => PutOutcomeAsync(step),
        StepKind.Delete or StepKind.DeleteIfUnchanged => DeleteAsync(step),
        StepKind.Reopen => ReopenAsync(),
        _ => Task.CompletedTask,
    };

    private async Task CreateAsync(Step step)
    {
        CreateResult result = await Store.CreateAsync(KeyOf(step.Upload), new UploadRecord { Data = DataOf(step.Amount) }, token);
        Check.Equal(_models[step.Upload] is null ? CreateStatus.Created : CreateStatus.Taken, result.Status);
        if (result.Info is { } info)
        {
            _models[step.Upload] = new UploadModel(New(step.Upload, info.Version), step.Amount);
        }
    }

    private async Task AppendAsync(Step step, AppendMode mode, bool isWanted, int missing = 0)
    {
        UploadModel? model = _models[step.Upload];
        long offset = (model?.Bytes.Length ?? 0) + (step.IsStale ? 1 + (step.Amount % 3) : 0);
        byte[] bytes = BytesOf(step.Amount, step.Upload);
        var content = new PipeContent { Expected = bytes.Length + missing, Decide = () => ValueTask.FromResult(isWanted) };
        content.Send(bytes);
        content.End();

        AppendResult result = await Store.AppendAsync(KeyOf(step.Upload), offset, content, mode, token);
        Check.Equal(model?.StatusOf(offset, isWanted) ?? AppendStatus.NotFound, result.Status);
        bool isTaken = result.Status is AppendStatus.Appended or AppendStatus.Discarded;
        Check.Equal(isTaken, content.Reads > 0);
        if (model is not null && result.Status == AppendStatus.Appended)
        {
            // An append of nothing may leave the version as it is.
            model.Append(bytes, bytes.Length == 0 && result.Version == model.Version ? model.Version : New(step.Upload, result.Version));
        }

        Check.Equal((model?.Bytes.Length ?? 0, model?.Version), ((int)result.Offset, result.Version));
    }

    private async Task UpdateAsync(Step step, UploadState state)
    {
        UploadModel? model = _models[step.Upload];
        if (state < model?.State)
        {
            return;
        }

        UploadRecord record = new() { State = state, Data = DataOf(step.Amount) };
        UpdateResult result = await Store.UpdateAsync(KeyOf(step.Upload), VersionFor(step), record, token);
        Check.Equal(ChangeOf(step), result.Status);
        if (result.Info is { } info)
        {
            model!.Update(state, step.Amount, New(step.Upload, info.Version));
        }
    }

    private async Task PutOutcomeAsync(Step step)
    {
        await Store.PutOutcomeAsync(KeyOf(step.Upload), DataOf(step.Amount), token);
        _models[step.Upload]?.Outcome = step.Amount;
    }

    private async Task DeleteAsync(Step step)
    {
        bool isConditional = step.Kind == StepKind.DeleteIfUnchanged;
        DeleteResult result = await Store.DeleteAsync(KeyOf(step.Upload), isConditional ? VersionFor(step) : null, token);
        Check.Equal(isConditional ? ChangeOf(step) : ChangeOf(step with { IsStale = false }), result.Status);
        if (result.Status == ChangeStatus.Done)
        {
            _models[step.Upload] = null;
        }
    }

    private async Task ReopenAsync()
    {
        Store = await reopen(Store);
        for (int i = 0; i < Step.Uploads; i++)
        {
            await CompareAsync(i);
        }
    }

    private async Task CompareAsync(int upload)
    {
        UploadModel? model = _models[upload];
        UploadInfo? info = await Store.GetAsync(KeyOf(upload), token);
        Check.Equal(
            model is null ? null : (model.Version, (long)model.Bytes.Length, model.State),
            info is null ? ((string, long, UploadState)?)null : (info.Version, info.Offset, info.State));
        if (model is not null)
        {
            Check.Equal(DataOf(model.Data), info!.Record.Data.ToArray());
        }

        byte[]? outcome = (await Store.GetOutcomeAsync(KeyOf(upload), token))?.ToArray();
        Check.Equal(model?.Outcome is null, outcome is null);
        if (model?.Outcome is { } expected)
        {
            Check.Equal(DataOf(expected), outcome);
        }
    }

    private async Task CompareContentAsync(int upload)
    {
        await using Stream? stream = await Store.OpenReadAsync(KeyOf(upload), token);
        Check.Equal(_models[upload] is null, stream is null);
        if (_models[upload] is { } model)
        {
            using var copy = new MemoryStream();
            await stream!.CopyToAsync(copy, token);
            Check.Equal(model.Bytes, copy.ToArray());
        }
    }

    private ChangeStatus ChangeOf(Step step) =>
        _models[step.Upload] is null ? ChangeStatus.NotFound : step.IsStale ? ChangeStatus.VersionMismatch : ChangeStatus.Done;

    // A stale version is one that this upload, or an earlier one with its key, had before.
    private string VersionFor(Step step)
    {
        List<string> versions = _versions[step.Upload];
        return !step.IsStale ? versions[^1]
            : versions.Count == 1 ? "never given"
            : step.Amount % 2 == 0 ? versions[^2]
            : versions[step.Amount % (versions.Count - 1)];
    }

    private string New(int upload, string? version)
    {
        Check.True(version is not null && _allVersions.Add(version), $"The version '{version}' is not new.");
        _versions[upload].Add(version);
        return version;
    }

    private static byte[] DataOf(int number) => BitConverter.GetBytes(number);

    private static byte[] BytesOf(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(HashCode.Combine(count, seed)).NextBytes(bytes);
        return bytes;
    }
}
