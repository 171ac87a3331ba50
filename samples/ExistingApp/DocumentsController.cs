using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Mvc;
using ResumableUploads;

namespace ExistingApp;

/// <summary>A form, as a page shows it and as it comes back.</summary>
[Route("/documents")]
public sealed class DocumentsController(SavedFiles saved) : Controller
{
    [HttpGet]
    public IActionResult Form() => View();

    [HttpPost]
    [ValidateAntiForgeryToken]
    [ResumableUpload(MaxUploadSize = 5L << 30)] // new
    public async Task<IActionResult> Save([Required, StringLength(100)] string title, IFormFile file, CancellationToken cancellationToken)
    {
        if (!ModelState.IsValid)
        {
            Response.StatusCode = StatusCodes.Status400BadRequest;
            return View(nameof(Form));
        }

        await using Stream content = file.OpenReadStream();
        SavedFile document = await saved.SaveAsync(content, cancellationToken);
        return View("Saved", new SavedDocument(title, file.FileName, document));
    }
}

/// <summary>What came with the form.</summary>
public sealed record SavedDocument(string Title, string FileName, SavedFile File);
