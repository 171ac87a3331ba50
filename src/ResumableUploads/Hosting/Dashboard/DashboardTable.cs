using System.Globalization;

namespace ResumableUploads.Hosting.Dashboard;

/// <summary>The table of uploads in a page of the dashboard.</summary>
internal sealed class DashboardTable(HtmlWriter html, DashboardPage page)
{
    public void Write()
    {
        html.Write($"""<section aria-labelledby="uploads"><h2 id="uploads" tabindex="-1">List of uploads</h2><p id="added" role="status" data-page="{page.Url}{page.View.ToQueryString()}"></p>""");
        if (page.Uploads.Uploads.Count == 0)
        {
            string text = (page.Uploads.Continuation, page.View.Id) switch
            {
                (null, _) => "No uploads.",
                (_, null) => "No uploads of this state on this page. There are more uploads on the next page.",
                _ => "Not found so far. There are more uploads to search on the next page. With the owner, the search is faster.",
            };
            html.Write($"<p>{text}</p></section>");
            return;
        }

        html.Write($"""
            <div class="wide" tabindex="0" role="region" aria-label="Table of uploads"><table>
            <thead><tr><th scope="col">File</th><th scope="col">State</th><th scope="col">Progress</th><th scope="col">Owner</th><th scope="col">Protocol</th><th scope="col">Age</th><th scope="col">Actions</th></tr></thead>
            <tbody>
            """);
        foreach (ManagedUpload upload in page.Uploads.Uploads)
        {
            WriteRow(upload);
        }

        html.Write($"</tbody></table></div></section>");
    }

    private void WriteRow(ManagedUpload upload)
    {
        string owner = upload.Key.Owner;
        string created = upload.Created.ToString("O", CultureInfo.InvariantCulture);
        html.Write($"""
            <tr data-upload="{DashboardText.RowId(upload)}">
            <th scope="row"><bdi title="{upload.RawFileName}">{upload.FileName}</bdi> <code title="{upload.Key.ToString()}">{DashboardText.ShortKey(upload)}</code></th>
            <td><span data-state>{DashboardText.State(upload.State)}</span> <small data-reason>{DashboardText.Reason(upload)}</small></td>
            <td>
            """);
        if (upload is { State: ManagedUploadState.Receiving, Length: { } length and > 0 })
        {
            html.Write($"""<progress max="{length}" value="{upload.Offset}" aria-label="Progress of {upload.FileName}"></progress>""");
        }

        html.Write($"""
            <span data-progress>{DashboardText.Progress(upload)}</span> <span data-rate></span></td>
            <td><a href="{page.Url}{(page.View with { Owner = owner, After = null }).ToQueryString()}" title="{owner}">{DashboardText.ShortOwner(owner)}</a></td>
            <td>{upload.Protocol} <small>{upload.Endpoint}</small></td>
            <td><time datetime="{created}" title="{DashboardText.Time(upload.Created)}">{DashboardText.Duration(page.Now - upload.Created)}</time></td>
            <td><form method="post" action="{page.Path}/actions">
            <input type="hidden" name="{page.Token.FormFieldName}" value="{page.Token.RequestToken}">
            <input type="hidden" name="store" value="{upload.Store}">
            <input type="hidden" name="upload-owner" value="{owner}">
            <input type="hidden" name="upload-id" value="{upload.Key.Id}">
            <input type="hidden" name="upload-created" value="{created}">
            <input type="hidden" name="upload-state" value="{upload.State.ToString()}">
            <input type="hidden" name="state" value="{page.View.State?.ToString()}">
            <input type="hidden" name="owner" value="{page.View.Owner}">
            <input type="hidden" name="id" value="{page.View.Id}">
            <input type="hidden" name="after" value="{page.View.After}">
            """);
        if (upload.State is ManagedUploadState.Failed or ManagedUploadState.DeadLettered)
        {
            WriteButton(upload, "retry", "Run again", null);
        }

        if (upload.State == ManagedUploadState.DeadLettered)
        {
            WriteButton(upload, "discard", "Discard", "Discard this upload and its content?");
        }
        else if (upload.State != ManagedUploadState.Completed)
        {
            WriteButton(upload, "cancel", "Cancel", upload.IsPart ? "Cancel this upload and remove its content? The upload of which it is a part cannot be finished then." : "Cancel this upload and remove its content?");
        }

        html.Write($"</form>");
        if (page.HasDownloads && upload is { State: not ManagedUploadState.Receiving, IsContentStored: true })
        {
            html.Write($"""<a href="{page.Path}{DashboardDownloads.ContentPath}{DashboardDownloads.GetQueryString(upload)}" aria-label="Download: {upload.FileName}">Download</a>""");
        }

        html.Write($"</td></tr>");
    }

    private void WriteButton(ManagedUpload upload, string action, string text, string? question) => _ = html.Write($"""
        <button name="action" value="{action}" data-confirm="{question}" aria-label="{text}: {upload.FileName}">{text}</button>
        """);
}
