// SPDX-License-Identifier: GPL-2.0
/* The channel over QEMU's ivshmem-doorbell: BAR2 is the region, MSI-X vector 0 the bell. */
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/pci.h>

#include "transport.h"

#define IVSHMEM_BAR_REGS	0
#define IVSHMEM_BAR_SHM		2
#define IVSHMEM_IVPOSITION	0x08		/* our own peer ID */
#define IVSHMEM_DOORBELL	0x0c		/* peer ID << 16 | vector */

struct ivshmem {
	struct vmfork_transport transport;
	void __iomem *regs;
	u32 host;	/* doorbell value: the other peer, vector 0 */
};

static void ivshmem_ring(struct vmfork_transport *t)
{
	struct ivshmem *iv = container_of(t, struct ivshmem, transport);

	writel(iv->host, iv->regs + IVSHMEM_DOORBELL);
}

static const struct vmfork_transport_ops ivshmem_ops = {
	.name = "ivshmem",
	.ring = ivshmem_ring,
};

static irqreturn_t ivshmem_irq(int irq, void *data)
{
	vmfork_channel_interrupt();
	return IRQ_HANDLED;
}

static int ivshmem_map(struct pci_dev *pdev, struct ivshmem *iv)
{
	struct vmfork_transport *t = &iv->transport;

	iv->regs = pcim_iomap(pdev, IVSHMEM_BAR_REGS, 0);
	if (!iv->regs)
		return -ENOMEM;
	/* QEMU wants a migratable (master=on) device to be peer 0; then the host is 1 */
	iv->host = (readl(iv->regs + IVSHMEM_IVPOSITION) == 0 ? 1 : 0) << 16;
	t->ops = &ivshmem_ops;
	t->size = pci_resource_len(pdev, IVSHMEM_BAR_SHM);
	t->region = devm_memremap(&pdev->dev, pci_resource_start(pdev, IVSHMEM_BAR_SHM), t->size,
				  MEMREMAP_WB);
	return PTR_ERR_OR_ZERO(t->region);
}

static int ivshmem_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct ivshmem *iv;
	int r;

	iv = devm_kzalloc(&pdev->dev, sizeof(*iv), GFP_KERNEL);
	if (!iv)
		return -ENOMEM;
	r = pcim_enable_device(pdev);
	if (r)
		return r;
	r = ivshmem_map(pdev, iv);
	if (r)
		return r;
	pci_set_master(pdev);
	r = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSIX);
	if (r < 0)
		return r;
	r = pci_request_irq(pdev, 0, ivshmem_irq, NULL, iv, "vmfork");
	if (r)
		goto free_vectors;
	r = vmfork_channel_attach(&iv->transport);
	if (r)
		goto free_irq;
	pci_set_drvdata(pdev, iv);
	return 0;

free_irq:
	pci_free_irq(pdev, 0, iv);
free_vectors:
	pci_free_irq_vectors(pdev);
	return r;
}

static void ivshmem_remove(struct pci_dev *pdev)
{
	struct ivshmem *iv = pci_get_drvdata(pdev);

	vmfork_channel_detach(&iv->transport);
	pci_free_irq(pdev, 0, iv);
	pci_free_irq_vectors(pdev);
}

static const struct pci_device_id ivshmem_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1110) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ivshmem_ids);

static struct pci_driver ivshmem_driver = {
	.name = "vmfork",
	.id_table = ivshmem_ids,
	.probe = ivshmem_probe,
	.remove = ivshmem_remove,
};

int vmfork_ivshmem_register(void)
{
	return pci_register_driver(&ivshmem_driver);
}

void vmfork_ivshmem_unregister(void)
{
	pci_unregister_driver(&ivshmem_driver);
}
